// The file of predictions: round trip, order, and what is wrong with broken ones.
#include <catch2/catch.hpp>
#include <limits>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "eval/scores/prediction.h"
#include "tests/datasets/utf16_text.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using namespace vllama::eval;

namespace {

const std::string kGoodLine =
    R"({"id":"a","video":"v","question":"q","answer_gt":"yes","prediction":"no","n_frames":8,)"
    R"("template":"training","status":"ok"})";

Prediction sample(const std::string& id) {
  return {.id = id,
          .video = "v",
          .question = "what",
          .references = {"yes"},
          .prediction = "no",
          .num_frames = 8,
          .template_name = "training"};
}

std::string message_for(const std::string& content) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "predictions.jsonl";
  write_file_atomically(path, content);
  try {
    read_predictions(path);
  } catch (const UserError& problem) {
    return problem.what();
  }
  return "no error";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("predictions come back as they were written, sorted by id") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "predictions.jsonl";
  Prediction many = sample("b");
  many.references = {"x", "y"};
  many.type = "AS";
  many.options = {"x", "z"};
  many.option_scores = {-1.25, -1e-300};
  many.in_words = "";
  many.prediction = "line\nend \"quoted\" \xE2\x80\xAE";
  Prediction none = sample("a");
  none.references = {};
  none.status = "missing media";
  write_predictions(path, {many, none, sample("c")});
  CHECK(read_predictions(path) == std::vector<Prediction>{none, many, sample("c")});
}

TEST_CASE("predictions that cannot be written are refused, the file of before stays") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "predictions.jsonl";
  write_predictions(path, {sample("a")});
  const std::string before = read_file(path);
  CHECK_THROWS_WITH(write_predictions(path, {sample("a"), sample("a")}), Catch::Contains("'a'"));
  CHECK_THROWS_AS(write_predictions(path, {sample("")}), RunFailure);
  Prediction broken = sample("b");
  broken.option_scores = {std::numeric_limits<double>::quiet_NaN()};
  CHECK_THROWS_WITH(write_predictions(path, {broken}), Catch::Contains("'b'"));
  CHECK(read_file(path) == before);
}

TEST_CASE("bytes that are not UTF-8 are replaced when written") {
  Prediction broken = sample("a");
  broken.prediction = "x\xFFy";
  CHECK(parse_prediction(prediction_line(broken), "here").prediction == "x\xEF\xBF\xBDy");
}

TEST_CASE("broken files of predictions are named by line") {
  CHECK(message_for(kGoodLine + "\n") == "no error");
  CHECK(message_for(kGoodLine) == "no error");
  CHECK_THAT(message_for(""), Catch::Contains("is empty"));
  CHECK_THAT(message_for(kGoodLine + "\n" + kGoodLine + "\n"),
             Catch::Contains(":2: the id 'a' is already on line 1"));
  CHECK_THAT(message_for(kGoodLine + "\n{\"id\":"), Catch::Contains(":2: not JSON"));
  CHECK_THAT(message_for(kGoodLine + "\n\n"), Catch::Contains(":2: not JSON"));
  CHECK_THAT(message_for("[1]\n"), Catch::Contains(":1: must be an object"));
  CHECK_THAT(message_for("[\n" + kGoodLine + "]\n"), Catch::Contains("is a JSON array"));
  CHECK_THAT(message_for(replaced(kGoodLine, "\"video\"", "\"vide\"")),
             Catch::Contains("unknown key 'vide'"));
  CHECK_THAT(message_for(replaced(kGoodLine, "\"video\":\"v\",", "")),
             Catch::Contains("'video' is absent"));
  CHECK_THAT(message_for(replaced(kGoodLine, "\"n_frames\":8", "\"n_frames\":-1")),
             Catch::Contains("'n_frames' must be a whole number"));
  CHECK_THAT(message_for(replaced(kGoodLine, "\"n_frames\":8", "\"n_frames\":8.5")),
             Catch::Contains("'n_frames' must be a whole number"));
  CHECK_THAT(message_for(replaced(kGoodLine, "\"no\"", "null")),
             Catch::Contains("'prediction' must be text, not null"));
  CHECK_THAT(message_for(replaced(kGoodLine, "\"yes\"", "[1]")),
             Catch::Contains("'answer_gt' must hold texts"));
  CHECK_THAT(message_for(replaced(kGoodLine, "\"a\"", "\"\"")), Catch::Contains("'id' is empty"));
  CHECK_THAT(
      message_for(replaced(kGoodLine, "\"n_frames\"", "\"option_scores\":[null],\"n_frames\"")),
      Catch::Contains("finite numbers"));
  CHECK_THAT(
      message_for(replaced(kGoodLine, "\"n_frames\"", "\"option_scores\":[NaN],\"n_frames\"")),
      Catch::Contains("not JSON"));
  CHECK_THAT(
      message_for(replaced(kGoodLine, "\"n_frames\"", "\"option_scores\":[1e999],\"n_frames\"")),
      Catch::Contains(":1: "));
  CHECK_THAT(message_for("{\"id\":\"\xFF\"}"), Catch::Contains(":1: not JSON"));
  CHECK_THAT(message_for(std::string(100000, '[')), Catch::Contains(":1: not JSON"));
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  CHECK_THAT(message_for(replaced(kGoodLine, "\"n_frames\":8", "\"n_frames\":" + deep)),
             Catch::Contains(":1: not JSON: nested more than 64 deep"));
}

TEST_CASE("predictions may have a byte order mark or be UTF-16") {
  for (const std::string& text :
       {"\xef\xbb\xbf" + kGoodLine, test::utf16_text(kGoodLine, test::Bytes::little_first),
        test::utf16_text(kGoodLine + "\n", test::Bytes::big_first, /*has_mark=*/false)})
    CHECK(message_for(text) == "no error");
  CHECK_THAT(message_for("PK\x03\x04"), Catch::Contains(".zip archive"));
}

TEST_CASE("predictions are matched with the annotation by id") {
  Prediction question = sample("b");
  question.type = "3";
  question.references = {"right"};
  const Matched matched = match({sample("a"), sample("b")}, {question, sample("a"), sample("z")});
  REQUIRE(matched.predictions.size() == 3);
  CHECK(matched.predictions[0].id == "b");
  CHECK(matched.predictions[0].type == "3");
  CHECK(matched.predictions[0].references == std::vector<std::string>{"right"});
  CHECK(matched.predictions[2].status == "no prediction");
  CHECK(matched.predictions[2].prediction.empty());
  CHECK(matched.missing_ids == std::vector<std::string>{"z"});
  CHECK_THROWS_WITH(match({sample("a"), sample("x")}, {sample("a")}),
                    Catch::Contains("1 of 2") && Catch::Contains("'x'"));
  CHECK_THROWS_WITH(match({sample("a"), sample("a")}, {sample("a")}), Catch::Contains("'a'"));
  CHECK_THROWS_WITH(match({sample("a")}, {sample("a"), sample("a")}), Catch::Contains("twice"));
  Prediction other = sample("a");
  other.question = "why";
  CHECK_THROWS_WITH(match({sample("a")}, {other}), Catch::Contains("another annotation"));
}

TEST_CASE("damaged lines are mistakes that are named, whatever the damage") {
  Prediction full = sample("a");
  full.options = {"x", "y"};
  full.option_scores = {-1, -2};
  full.in_words = "the second";
  const std::string line = prediction_line(full);
  RandomStream stream(11);
  for (int i = 0; i < 5000; ++i) {
    std::string damaged = line;
    for (std::uint64_t j = stream.below(3); j < 3; ++j)
      damaged[stream.below(damaged.size())] = static_cast<char>(stream.below(256));
    if (stream.below(4) == 0) damaged.resize(stream.below(damaged.size()));
    try {
      parse_prediction(damaged, "here");
    } catch (const UserError& problem) {
      CHECK(std::string(problem.what()).starts_with("here: "));
    }
  }
}
