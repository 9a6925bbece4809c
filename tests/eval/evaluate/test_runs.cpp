// Whole evaluations by the program itself, on one rank and two, undisturbed and killed.
#include <fmt/format.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/files.h"
#include "eval/evaluate/compare_results.h"
#include "eval/evaluate/eval_config.h"
#include "eval/scores/prediction.h"
#include "tests/support/child.h"
#include "tests/support/ranks.h"
#include "tests/train/tiny_world.h"

using namespace vllama;
using Catch::Contains;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

constexpr std::int64_t kMaxPositions = 320;

// A model with random weights, and questions about clips of which there are only a few in truth.
class EvalWorld : public test::TinyWorld {
 public:
  EvalWorld() : TinyWorld(kMaxPositions), run_(run("run")) {
    run_.data.sets.clear();
    run_.data.sets.push_back(run("run").data.sets.front());
    write_file_atomically(path("run.yaml"), config::dump(run_));
    config_.output_dir = "results";  // below the folder that a program starts in
    config_.model = path("run.yaml").string();
    config_.device = distributed::DeviceChoice::cpu;
    config_.num_threads = 1;
    config_.num_workers = 1;
    config_.batch_size = 5;
    config_.num_resamples = 100;
    config_.generation.max_new_tokens = 4;
    config_.distributed.join_timeout_seconds = 30;
    config_.distributed.timeout_seconds = 10;
    config_.distributed.silence_seconds = 10;
  }

  eval::EvalConfig& config() { return config_; }

  // The command that evaluates in the folder `name` of the world, which is made.
  std::string command(const std::string& name, const std::string& options = "") const {
    fs::create_directories(path(name));
    write_file_atomically(path(name) / "eval.yaml", config::dump(config_));
    return fmt::format("sh -c \"cd '{}' && exec '{}' eval eval.yaml {}\"", path(name).string(),
                       VLLAMA_PROGRAM, options);
  }

  fs::path results(const std::string& name) const { return path(name) / "results"; }

 private:
  train::RunConfig run_;
  eval::EvalConfig config_;
};

void run_ranks(int num_ranks, const std::string& command) {
  for (const auto& outcome : test::Ranks(num_ranks, command).wait_all(300)) {
    INFO(outcome.output);
    REQUIRE(outcome.status == 0);
  }
}

std::size_t num_lines_in(const fs::path& folder) {
  std::size_t count = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".jsonl") continue;
    const std::string text = read_file(entry.path());
    count += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  return count;
}

std::vector<fs::path> clips_of(const EvalWorld& world) {
  std::vector<fs::path> clips;
  for (const auto& entry : fs::recursive_directory_iterator(world.path("videos")))
    if (entry.path().extension() == ".mp4") clips.push_back(entry.path());
  std::sort(clips.begin(), clips.end());
  return clips;
}

// The first questions of ActivityNet-QA, for each of whose videos `world` gets a clip.
eval::TaskConfig activitynet(const EvalWorld& world, const fs::path& questions,
                             const fs::path& answers, std::size_t count) {
  const Json all = Json::parse(read_file(questions));
  const Json all_answers = Json::parse(read_file(answers));
  std::map<std::string, Json> by_id;
  for (const Json& answer : all_answers) by_id[answer.at("question_id")] = answer;
  Json some = Json::array(), some_answers = Json::array();
  fs::create_directories(world.path("clips"));
  const auto clips = clips_of(world);
  for (std::size_t i = 0; i < count; ++i) {
    some.push_back(all.at(i));
    some_answers.push_back(by_id.at(all.at(i).at("question_id")));
    const fs::path clip = world.path("clips") /
                          fmt::format("v_{}.mp4", all.at(i).at("video_name").get<std::string>());
    if (!fs::exists(clip)) fs::create_hard_link(clips[i % clips.size()], clip);
  }
  eval::TaskConfig task;
  task.name = "activitynet";
  task.format = "activitynet_qa";
  task.annotations = world.path("q.json").string();
  task.answers = world.path("a.json").string();
  task.media_root = world.path("clips").string();
  write_file_atomically(task.annotations, some.dump());
  write_file_atomically(task.answers, some_answers.dump());
  return task;
}

}  // namespace

TEST_CASE("evaluation: 500 questions on two ranks, killed once, are reported as on one") {
  VLLAMA_SHARED_FILE(questions, "fixtures/annotations/activitynet_qa_val_q.json");
  VLLAMA_SHARED_FILE(answers, "fixtures/annotations/activitynet_qa_val_a.json");
  EvalWorld world;
  world.config().tasks = {activitynet(world, questions, answers, 500)};
  run_ranks(1, world.command("one"));
  {
    test::Ranks ranks(2, world.command("two"));
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (num_lines_in(world.results("two") / "activitynet") < 200 &&
           std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ranks.signal(1, SIGKILL);
    CHECK(ranks.wait(1).status == 128 + SIGKILL);
    const auto other = ranks.wait(0);
    INFO(other.output);
    CHECK(other.status == 1);
    CHECK_THAT(other.output, Contains("rank 1"));
  }
  CHECK_FALSE(fs::exists(world.results("two") / "report.json"));
  run_ranks(2, world.command("two"));
  for (const char* file : {"report.json", "report.html", "activitynet/predictions.jsonl"}) {
    INFO(file);
    CHECK(read_file(world.results("one") / file) == read_file(world.results("two") / file));
  }
  const auto predictions =
      eval::read_predictions(world.results("two") / "activitynet/predictions.jsonl");
  CHECK(predictions.size() == 500);
  CHECK(std::all_of(predictions.begin(), predictions.end(), [](const auto& found) {
    return found.status == "ok" && found.num_frames > 0;
  }));
}

TEST_CASE("evaluation: options by likelihood, losses, missing and broken media; nothing is lost") {
  EvalWorld world;
  const auto clips = clips_of(world);
  fs::create_directories(world.path("media"));
  fs::copy_file(clips[0], world.path("media/a.mp4"));
  write_file_atomically(world.path("media/broken.mp4"), "not a video");
  write_file_atomically(world.path("questions.jsonl"),
                        "{\"id\":1,\"video\":\"a\",\"question\":\"What?\",\"answer\":\"a bar\","
                        "\"options\":[\"a bar\",\"a dog\"]}\n"
                        "{\"id\":2,\"video\":\"broken\",\"question\":\"What?\",\"answer\":\"a\","
                        "\"options\":[\"a\",\"b\"]}\n"
                        "{\"id\":3,\"video\":\"gone\",\"question\":\"What?\",\"answer\":\"a\","
                        "\"options\":[\"a\",\"b\"]}\n"
                        "{\"id\":4,\"video\":\"a\",\"question\":\"\\ud83d\",\"answer\":\"a\","
                        "\"options\":[\"a\",\"b\"]}\n");
  eval::TaskConfig task;
  task.name = "choice";
  task.format = "questions";
  task.annotations = world.path("questions.jsonl").string();
  task.media_root = world.path("media").string();
  world.config().tasks = {task};
  datasets::DataConfig held_out = world.run("run").data;
  world.config().losses = {held_out};
  run_ranks(1, world.command("one"));
  run_ranks(2, world.command("two"));
  CHECK(read_file(world.results("one") / "report.json") ==
        read_file(world.results("two") / "report.json"));
  const auto predictions =
      eval::read_predictions(world.results("one") / "choice/predictions.jsonl");
  REQUIRE(predictions.size() == 3);
  CHECK(predictions[0].option_scores.size() == 2);
  CHECK(predictions[0].in_words);
  CHECK_FALSE(predictions[1].in_words);
  CHECK_THAT(predictions[1].status, Contains("not_media") || Contains("neither"));
  CHECK(predictions[2].status == "missing media");
  const Json report = Json::parse(read_file(world.results("one") / "report.json"));
  CHECK(report.at("missing").size() == 2);
  CHECK(report.at("num_questions") == 3);
  CHECK(report.at("num_left_out") == 1);
  CHECK(report.at("scores").at(0).at("num_left_out") == 1);
  CHECK_THAT(report.at("notes").dump(), Contains("1 of 4 rows") && Contains("row 4 (line 4)"));
  CHECK_THAT(read_file(world.results("one") / "report.html"), Contains("(1 broken and left out)"));
  const std::string scores = report.at("scores").dump();
  CHECK_THAT(scores,
             Contains("option_likelihood") && Contains("first_option") && Contains("/perplexity"));

  SECTION("two results are compared, and refuse to be if they have nothing in common") {
    const auto comparisons = eval::compare_results(world.results("one"), world.results("two"));
    REQUIRE(comparisons.size() == 1);
    CHECK(comparisons[0].task == "choice");
    CHECK(comparisons[0].metrics.at(0).difference == 0);
    CHECK_THROWS_WITH(eval::compare_results(world.results("one"), world.path("videos")),
                      Contains("no finished task in common"));
  }
  SECTION("an answer that was damaged is asked for again") {
    const fs::path file = world.results("one") / "choice/predictions.jsonl";
    const std::string before = read_file(file);
    write_file_atomically(file, before.substr(0, before.size() - 10));
    run_ranks(1, world.command("one"));
    CHECK(read_file(file) == before);
  }
  SECTION("a judge's replies are kept with what is known of the judge") {
    const fs::path task_folder = world.results("one") / "choice";
    write_file_atomically(world.path("replies.json"),
                          R"({"a_0": [{"pred": "yes", "score": 4}, {}],
                              "broken_0": [{"pred": "no", "score": 1}, {}],
                              "gone_0": ["It is hard to say.", {}]})");
    write_file_atomically(world.path("prompt.txt"), "Judge.");
    const std::string command = fmt::format(
        "'{}' read-judge '{}' '{}' --judge j --judge-version 1 --prompt-file '{}' --date ",
        VLLAMA_PROGRAM, task_folder.string(), world.path("replies.json").string(),
        world.path("prompt.txt").string());
    const auto read = test::Ranks(1, command + "2024-01-31").wait_all();
    INFO(read[0].output);
    CHECK(read[0].status == 0);
    CHECK_THAT(read_file(task_folder / "judge_scores.json"),
               Contains("judge_accuracy") && Contains("prompt") &&
                   Contains("\"num_unreadable_replies\": 1"));
    CHECK_THAT(read[0].output, Contains("1 replies cannot be read") && Contains("'gone_0'"));
    CHECK(test::Ranks(1, command + "yesterday").wait_all()[0].status == 2);
  }
  SECTION("with other settings nothing is overwritten unless forced") {
    const std::string before = read_file(world.results("one") / "choice/predictions.jsonl");
    world.config().tasks[0].option_score = eval::OptionScore::sum;
    const auto refused = test::Ranks(1, world.command("one")).wait_all();
    CHECK(refused[0].status == 2);
    CHECK_THAT(refused[0].output, Contains("option_score: sum") && Contains("--force"));
    CHECK(read_file(world.results("one") / "choice/predictions.jsonl") == before);
    run_ranks(1, world.command("one", "--force"));
    CHECK(read_file(world.results("one") / "choice/predictions.jsonl") != before);
  }
  SECTION("a prompt longer than the context") {
    world.config().tasks[0].prompt = "{} " + std::string(4000, 'x');
    const auto refused = test::Ranks(1, world.command("long")).wait_all();
    CHECK(refused[0].status == 2);
    CHECK_THAT(refused[0].output, Contains("tokens"));
  }
}

TEST_CASE("evaluation: controls beside the task itself, each with what it was shown") {
  EvalWorld world;
  fs::create_directories(world.path("media"));
  const auto clips = clips_of(world);
  std::string rows;
  for (const std::string name : {"a", "b", "c"}) {
    fs::copy_file(clips.at(static_cast<std::size_t>(name[0] - 'a')),
                  world.path("media/" + name + ".mp4"));
    rows += R"({"id":")" + name + R"(","video":")" + name +
            R"(","question":"What?","answer":"red","type":"colour","options":["red","blue"]})" +
            "\n";
  }
  eval::TaskConfig task;
  task.format = "questions";
  task.annotations = world.path("questions.jsonl").string();
  task.media_root = world.path("media").string();
  task.choose_by = eval::ChooseBy::first_named;
  write_file_atomically(task.annotations, rows);
  auto& tasks = world.config().tasks;
  for (const char* name : {"own", "other", "none", "reversed", "long"}) {
    task.name = name;
    tasks.push_back(task);
  }
  tasks[1].media = eval::TaskMedia::other;
  tasks[2].media = eval::TaskMedia::none;
  tasks[3].frame_order = eval::FrameOrder::reversed;
  tasks[4].num_frames = 64;
  const auto refused = test::Ranks(1, world.command("table")).wait_all();
  CHECK(refused[0].status == 2);
  CHECK_THAT(refused[0].output, Contains("64 frames") && Contains("interpolated"));
  world.config().model_changes = {"model.vision.frame_positions=interpolated",
                                  "model.vision.position_rows=3", "data.sets.0.time_message=false"};
  run_ranks(1, world.command("one"));

  const auto answers = [&](const std::string& name) {
    return eval::read_predictions(world.results("one") / name / "predictions.jsonl");
  };
  CHECK(answers("own")[0].shown.empty());
  CHECK(answers("own")[0].option_scores.empty());
  CHECK((answers("other")[0].shown == "b" || answers("other")[0].shown == "c"));
  CHECK(answers("none")[0].shown == "nothing");
  CHECK(answers("none")[0].num_frames == 0);
  CHECK(answers("long")[0].num_frames == 64);
  for (const char* name : {"own", "other", "none", "reversed", "long"})
    for (const auto& answer : answers(name)) CHECK(answer.status == "ok");

  const Json report = Json::parse(read_file(world.results("one") / "report.json"));
  std::map<std::string, Json> scores;
  for (const Json& score : report.at("scores")) scores[score.at("name")] = score;
  CHECK(scores.at("own: first_option").at("chance") == 0.5);
  CHECK(scores.at("own: first_option").at("majority") == 1);
  CHECK_FALSE(scores.at("own: first_option").contains("facts"));
  CHECK(scores.at("other: first_option").at("facts").at("media") == "other");
  CHECK(scores.at("reversed: contained").at("facts").at("frame_order") == "reversed");
  CHECK(scores.at("long: first_option").at("facts").at("num_frames") == "64");
  CHECK_THAT(read_file(world.results("one") / "report.html"), Contains("nothing for a"));
  CHECK_THAT(read_file(world.results("one") / "other/settings.yaml"),
             Contains("media: other") && Contains("frame_positions=interpolated"));

  SECTION("a control is compared with the task itself, question by question") {
    auto& changed = world.config().tasks;
    changed.resize(1);
    changed[0].media = eval::TaskMedia::none;
    run_ranks(1, world.command("blind"));
    const auto compared = eval::compare_results(world.results("one"), world.results("blind"));
    REQUIRE(compared.size() == 1);
    CHECK(compared[0].metrics.at(0).name == "first_option");
  }
  SECTION("answers that were made before a setting existed are taken as made by its default") {
    const fs::path settings = world.results("one") / "own/settings.yaml";
    std::string before = read_file(settings);
    const auto line = before.find("  frame_order:");
    REQUIRE(line != std::string::npos);
    write_file_atomically(settings, before.erase(line, before.find('\n', line) + 1 - line));
    run_ranks(1, world.command("one"));
  }
}
