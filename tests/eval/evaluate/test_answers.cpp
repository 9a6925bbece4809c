// Answers outlive interruptions, and belong to their questions.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "core/error.h"
#include "core/files.h"
#include "eval/evaluate/answers.h"
#include "eval/evaluate/settings_file.h"
#include "tests/support/fixtures.h"
#include "tests/support/logged_text.h"

using namespace vllama;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

std::vector<eval::Question> questions(int count) {
  std::vector<eval::Question> all;
  for (int i = 0; i < count; ++i) {
    eval::Question& question = all.emplace_back();
    question.expected.id = fmt::format("q{}", i);
    question.expected.references.emplace_back("x");
  }
  return all;
}

}  // namespace

TEST_CASE("answers: those of all ranks are collected in the order of the questions") {
  const test::TemporaryFolder folder;
  const eval::AnswerFolder answers(folder.path() / "task");
  const auto asked = questions(4);
  answers.append(1, {asked[2].expected});
  answers.append(0, {asked[1].expected, asked[0].expected});
  // Cut off while it was written.
  std::ofstream(folder.path() / "task/answers_0001.jsonl", std::ios::app)
      << eval::prediction_line(asked[3].expected).substr(0, 10);
  for (int again = 0; again < 2; ++again) {
    const auto found = answers.collect(asked);
    REQUIRE(found.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(found[i] == asked[i].expected);
  }
  answers.append(0, {asked[3].expected});
  const auto all = answers.collect(asked);
  REQUIRE(all.size() == 4);
  answers.finish(all);
  CHECK(answers.collect(asked).size() == 4);
  CHECK(std::distance(std::filesystem::directory_iterator(answers.path()), {}) == 1);
  CHECK_THROWS_WITH(answers.collect(questions(3)), Contains("'q3'") && Contains("--force"));
}

TEST_CASE("answers: a damaged line costs its answer alone, which is then asked for again") {
  const test::TemporaryFolder folder;
  const eval::AnswerFolder answers(folder.path() / "task");
  const auto asked = questions(4);
  const auto damage = [&](const fs::path& file, std::size_t number) {
    std::string text = read_file(file);
    std::size_t begin = 0;
    while (number-- > 0) begin = text.find('\n', begin) + 1;
    text.replace(begin, 5, 5, '\0');
    write_file_atomically(file, text);
  };
  const auto ids = [](const std::vector<eval::Prediction>& found) {
    std::string all;
    for (const eval::Prediction& prediction : found) all += prediction.id + " ";
    return all;
  };
  answers.append(0, {asked[0].expected, asked[1].expected, asked[2].expected});
  damage(answers.path() / "answers_0000.jsonl", 1);
  {
    const test::LoggedText log;
    CHECK(ids(answers.collect(asked)) == "q0 q2 ");
    CHECK_THAT(log.text(), Contains("1 damaged lines") && Contains("line 2"));
  }
  {
    const test::LoggedText log;
    CHECK(ids(answers.collect(asked)) == "q0 q2 ");
    CHECK(log.text().empty());
  }
  answers.append(0, {asked[1].expected, asked[3].expected});
  answers.finish(answers.collect(asked));
  damage(answers.predictions_file(), 2);
  CHECK_THROWS_WITH(eval::read_predictions(answers.predictions_file()),
                    Contains(":3") && Contains("not JSON"));
  CHECK(ids(answers.collect(asked)) == "q0 q1 q3 ");
  CHECK_FALSE(fs::exists(answers.predictions_file()));
  answers.append(0, {asked[2].expected});
  answers.finish(answers.collect(asked));
  CHECK(eval::read_predictions(answers.predictions_file()).size() == 4);
  // What is JSON and no answer was not damaged: it is of another program.
  write_file_atomically(answers.predictions_file(), "{\"id\": \"q0\"}\n");
  CHECK_THROWS_WITH(answers.collect(asked), Contains("'video' is absent"));
}

TEST_CASE("answers: groups are the same whatever is answered") {
  const auto groups = eval::groups_of(10, 4);
  REQUIRE(groups.size() == 3);
  CHECK(groups[2].begin == 8);
  CHECK(groups[2].end == 10);
}

TEST_CASE("answers: other settings than those they were made with are told") {
  const test::TemporaryFolder folder;
  eval::require_same_settings(folder.path(), "a: 1\nb: 2\n");
  eval::require_same_settings(folder.path(), "a: 1\nb: 2\n");
  CHECK_THROWS_WITH(eval::require_same_settings(folder.path(), "a: 1\nb: 3\n"),
                    Contains("then: b: 2") && Contains("now:  b: 3") && !Contains("a: 1"));
}
