// What an evaluation says of its own scores and settings.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "eval/evaluate/choice_note.h"
#include "eval/evaluate/measure_task.h"
#include "eval/evaluate/score_table.h"
#include "eval/evaluate/unused_settings.h"
#include "tests/support/fixtures.h"
#include "tests/support/logged_text.h"

using namespace vllama;
using namespace vllama::eval;
using Catch::Contains;

namespace {

// A choice of which the likelihood finds every `right_every`-th right option, and whose model
// writes the right one.
std::vector<Prediction> choices(int count, int right_every, const std::string& words) {
  std::vector<Prediction> predictions;
  for (int i = 0; i < count; ++i) {
    Prediction& prediction = predictions.emplace_back();
    prediction.id = std::to_string(i);
    prediction.references = {"red"};
    prediction.options = {"blue", "red"};
    prediction.option_scores = {-1, i % right_every == 0 ? -0.5 : -2.0};
    prediction.prediction = i % right_every == 0 ? "red" : "blue";
    prediction.in_words = words;
  }
  return predictions;
}

std::string note_on(const std::vector<Prediction>& predictions) {
  return note_on_choice(measure_task(TaskConfig{}, predictions), predictions);
}

bool names(const std::vector<std::string>& notes, const std::string& beginning) {
  return std::ranges::any_of(notes,
                             [&](const std::string& note) { return note.starts_with(beginning); });
}

}  // namespace

TEST_CASE("a choice by likelihood has the score of the model's own words beside it") {
  const auto measurements = measure_task(TaskConfig{}, choices(40, 4, "The circle is red."));
  REQUIRE(measurements.size() == 2);
  CHECK(score(measurements[0]).name == "option_likelihood");
  CHECK(score(measurements[0]).value == 0.25);
  CHECK(score(measurements[1]).name == "first_option");
  CHECK(score(measurements[1]).value == 1);
  CHECK(score(measurements[1]).chance == 0.5);

  auto without_words = choices(40, 4, "x");
  without_words[3].in_words.reset();
  CHECK(measure_task(TaskConfig{}, without_words).size() == 1);
  without_words[3].status = "broken";
  CHECK(measure_task(TaskConfig{}, without_words).size() == 2);
  auto signs = choices(4, 2, "+");
  for (Prediction& prediction : signs) prediction.options[0] = "?";
  CHECK(measure_task(TaskConfig{}, signs).size() == 1);
}

TEST_CASE("where words and likelihoods differ much a note says which is which") {
  const std::string in_words = note_on(choices(40, 4, "The circle is red."));
  CHECK_THAT(in_words, Contains("option_likelihood (0.25) and first_option (1.00)") &&
                           Contains("names one in 100 %") && Contains("choose_by: first_named"));
  CHECK_THAT(note_on(choices(40, 1, "I cannot say.")),
             Contains("(1.00) and first_option (0.00)") && Contains("names one in 0 %") &&
                 Contains("option_likelihood is the one to read"));
  // About the same, or so few that it may be chance.
  CHECK(note_on(choices(40, 1, "red")).empty());
  CHECK(note_on(choices(3, 2, "red")).empty());
  TaskConfig written;
  written.choose_by = ChooseBy::first_named;
  CHECK(note_on_choice(measure_task(written, choices(9, 3, "red")), {}).empty());
}

TEST_CASE("captions whose objects stand in a broken row are left out of CHAIR alone") {
  const test::TemporaryFolder folder;
  const auto write = [&](const std::string& name, const std::string& text) {
    write_file_atomically(folder.path() / name, text);
    return (folder.path() / name).string();
  };
  TaskConfig task;
  task.name = "t";
  task.format = "captions";
  task.object_names = write("names.txt", "dog\ncat\n");
  const std::string dog = R"({"video":"0","objects":["dog"]})", broken = R"({"video":"1","obj)";
  std::vector<Prediction> captions;
  for (int i = 0; i < 2; ++i) {
    Prediction& caption = captions.emplace_back();
    caption.id = caption.video = std::to_string(i);
    caption.references = {"a dog"};
    caption.prediction = "a dog";
  }
  const auto chair_of = [&](const std::string& objects) {
    task.objects = write("objects.jsonl", objects);
    const auto all = measure_task(task, captions);
    CHECK(score(all[0]).num_scored == 2);
    const auto found = std::ranges::find(all, "chair_sentence", &Measurement::name);
    REQUIRE(found != all.end());
    return score(*found);
  };
  const test::LoggedText log;
  const Score whole = chair_of(dog + "\n" + R"({"video":"1","objects":["cat"]})");
  CHECK(whole.num_scored == 2);
  CHECK(whole.value == 0.5);
  CHECK_FALSE(whole.facts.contains("captions_left_out"));
  CHECK(log.text().empty());
  const Score part = chair_of(dog + "\n" + broken);
  CHECK(part.num_scored == 1);
  CHECK(part.value == 0);
  CHECK(part.facts.at("captions_left_out") == "1");
  CHECK_THAT(log.text(), Contains("task t: objects: 1 of 2 rows"));
  // More than the broken rows explain.
  captions.push_back(captions[1]);
  captions[2].id = "2";
  CHECK_THROWS_WITH(measure_task(task, captions), Contains("no objects for '1'"));
}

TEST_CASE("the table marks Wilson's intervals and ends with the notes") {
  EvalResult result;
  TaskResult& task = result.tasks.emplace_back();
  task.config.name = "colours";
  const auto predictions = choices(40, 4, "The circle is red.");
  for (const Measurement& measurement : measure_task(TaskConfig{}, predictions))
    task.scores.push_back(score(measurement));
  task.notes = {note_on(predictions)};
  const std::string table = score_table(result);
  CHECK_THAT(table, Contains("1.0000  [0.9124, 1.0000]*") &&
                        Contains("* all answers are alike: Wilson's interval\n") &&
                        Contains("\ncolours: option_likelihood (0.25)"));
  task.scores.pop_back();
  task.notes.clear();
  CHECK_THAT(score_table(result), !Contains("Wilson") && !Contains("colours:"));
}

TEST_CASE("settings without effect are named by their keys") {
  CHECK(unused_settings({}, {TaskConfig{}}).empty());
  inference::GenerationConfig generation;
  generation.temperature = 0.5;
  TaskConfig choice, open, captions;
  choice.name = "c";
  choice.format = "questions";
  choice.choose_by = ChooseBy::first_named;
  choice.option_score = OptionScore::sum;
  open.name = "o";
  open.format = "msvd_qa";
  open.answers = "a.json";
  open.control_seed = 3;
  open.choose_by = ChooseBy::first_named;
  captions.name = "p";
  captions.format = "captions";
  captions.split = "test";
  captions.objects = "o";
  captions.num_candidates = 4;
  const auto notes = unused_settings(generation, {choice, open, captions});
  CHECK(notes.size() == 7);
  CHECK(names(notes, "generation.temperature has no effect: do_sample is false"));
  CHECK(names(notes, "option_score of the task 'c' has no effect: it needs choose_by: likelihood"));
  CHECK(names(notes, "answers of the task 'o' has no effect"));
  CHECK(names(notes, "control_seed of the task 'o' has no effect: it needs media: other"));
  CHECK(names(notes, "choose_by of the task 'o' has no effect: it needs questions with options"));
  CHECK(names(notes, "split of the task 'p' has no effect: it needs format: msrvtt_captions"));
  CHECK(names(notes, "objects of the task 'p' has no effect"));
  open.media = TaskMedia::other;
  CHECK_FALSE(names(unused_settings({}, {open}), "control_seed"));
}
