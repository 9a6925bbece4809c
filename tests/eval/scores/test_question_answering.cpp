// Answers compared in their normal form, and the official accuracies.
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "eval/scores/question_answering.h"
#include "eval/scores/score.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using namespace vllama::eval;

namespace {

Prediction answered(const std::string& id, const std::string& prediction,
                    std::vector<std::string> references, const std::string& type = "",
                    const std::string& question = "") {
  Prediction result{.id = id, .video = "v", .question = question, .type = type};
  result.references = std::move(references);
  result.prediction = prediction;
  return result;
}

double accuracy_of(const Measurement& measurement) {
  return score(measurement, {.num_resamples = 10}).value;
}

double part_value(const Score& whole, const std::string& name) {
  for (const Score& part : whole.parts)
    if (part.name == name) return part.value;
  FAIL("no part " << name);
  return 0;
}

}  // namespace

TEST_CASE("answers are brought into the normal form of VQA") {
  const std::map<std::string, std::string> expected = {{"The two dogs.", "2 dogs"},
                                                       {"1,000 people", "1000 people"},
                                                       {"well-lit", "well lit"},
                                                       {"U.S.A.", "usa"},
                                                       {"one,two", "1 2"},
                                                       {"dont", "don't"},
                                                       {".5", ".5"},
                                                       {"5.", "5"},
                                                       {"100%", "100%"},
                                                       {"yes, it is", "yes it is"},
                                                       {"", ""},
                                                       {"  a\tcat\n", "cat"},
                                                       {"couldntve", "couldntve"},
                                                       {"couldn'tve", "couldn't've"},
                                                       {"couldnt've", "couldn't've"},
                                                       {"somebody'd", "somebodyd"},
                                                       {"None of the ten", "0 of 10"},
                                                       {"ows'at", "ows'at"},
                                                       {"ow's'at", "'ow's'at"},
                                                       {"a-b, c-d 1,2", "ab cd 12"},
                                                       {"red\xC2\xA0"
                                                        "car",
                                                        "red car"}};
  for (const auto& [text, normal] : expected) {
    INFO(text);
    CHECK(normalised_answer(text) == normal);
  }
}

TEST_CASE("only in compat mode are full stops after the 32nd kept") {
  const std::string text = std::string(40, '.') + "x";
  CHECK(normalised_answer(text) == "x");
  CHECK(normalised_answer(text, {.compat_32_dots = true}) == "........x");
}

TEST_CASE("exact match and containment count answers, by question word or by type") {
  const std::vector<Prediction> predictions = {answered("1", "Two.", {"2"}, "", "What is it"),
                                               answered("2", "a red car", {"car"}, "", "who"),
                                               answered("3", "carpet", {"car"}, "", "what"),
                                               answered("4", "", {"the"}, "", "is it")};
  const Score exact = score(exact_match(predictions));
  CHECK(exact.value == 0.25);
  CHECK(exact.per_sample == std::vector<double>{1, 0, 0, 0});
  CHECK(part_value(exact, "what") == 0.5);
  CHECK(part_value(exact, "other") == 0);
  CHECK(exact.num_scored == 4);
  const Score within = score(contained(predictions));
  CHECK(within.per_sample == std::vector<double>{1, 1, 0, 0});

  std::vector<Prediction> typed = predictions;
  for (Prediction& prediction : typed) prediction.type = "color";
  CHECK(part_value(score(exact_match(typed)), "color") == 0.25);
}

TEST_CASE("an answer that is missing is wrong and counted") {
  Prediction missing = answered("1", "yes", {"yes"});
  missing.status = "undecodable video";
  const Score result = score(exact_match({missing, answered("2", "yes", {"no", "Yes"})}));
  CHECK(result.value == 0.5);
  CHECK(result.num_scored == 1);
  CHECK(result.num_missing == 1);
}

TEST_CASE("VQAv2 accuracy leaves one reference out at a time") {
  std::vector<std::string> references(10, "no");
  for (int i = 0; i < 2; ++i) references[static_cast<std::size_t>(i)] = "yes";
  // Eight sets hold two equal references, two hold one.
  CHECK(accuracy_of(vqa_v2({answered("1", "yes", references)})) ==
        Approx((8 * 2.0 / 3 + 2 * 1.0 / 3) / 10));
  CHECK(accuracy_of(vqa_v2({answered("1", "no", references)})) == 1);
  CHECK_THROWS_AS(vqa_v2({answered("1", "no", {"no"})}), UserError);
}

TEST_CASE("ActivityNet-QA: raw equality, and two ways to count free questions") {
  const std::vector<Prediction> predictions = {
      answered("1", "yes", {"yes"}, "3"), answered("2", "red", {"red"}, "8"),
      answered("3", "Dog", {"dog"}, "7"), answered("4", "a", {"a"}, "0"),
      answered("5", "b", {"b"}, "4")};
  const std::vector<Measurement> measurements = activitynet_official(predictions);
  REQUIRE(measurements.size() == 3);
  CHECK(accuracy_of(measurements[0]) == Approx(4.0 / 5));
  CHECK(accuracy_of(measurements[1]) == Approx(3.0 / 4));
  // Types 3, 8 and 7 come first, so 0 and 4 are taken for the free ones.
  CHECK(accuracy_of(measurements[2]) == Approx(3.0 / 2));
  CHECK_THROWS_WITH(activitynet_official({answered("q7", "a", {"a"}, "9")}),
                    Catch::Contains("q7") && Catch::Contains("0 to 8"));
}

TEST_CASE("ActivityNet-QA validation is counted as the published file has it") {
  VLLAMA_SHARED_FILE(answers, "fixtures/annotations/activitynet_qa_val_a.json");
  std::vector<Prediction> predictions;
  for (const auto& entry : nlohmann::json::parse(read_file(answers)))
    predictions.push_back(answered(entry["question_id"], "yes", {entry["answer"]},
                                   std::to_string(entry["type"].get<int>())));
  const std::vector<Measurement> measurements = activitynet_official(predictions);
  const auto counted = [](const Measurement& measurement) {
    double sum = 0;
    for (std::size_t i = 1; i < measurement.statistics.size(); i += 2)
      sum += measurement.statistics[i];
    return sum;
  };
  CHECK(counted(measurements[0]) == 18000);
  CHECK(counted(measurements[1]) == 12600);
  CHECK(counted(measurements[2]) == 8399);
}

TEST_CASE("MVBench: the letter of the reply, and the likeliest option") {
  const std::string right = "(B) opens the door.";
  for (const std::string reply : {"B", "b.", "(B)", "(B) opens", "(B)."}) {
    INFO(reply);
    CHECK(accuracy_of(option_letter({answered("1", reply, {right})})) == 1);
  }
  for (const std::string reply : {"", " ", ".", "A", "(A) opens", "The"}) {
    INFO(reply);
    CHECK(accuracy_of(option_letter({answered("1", reply, {right})})) == 0);
  }
  Prediction scored = answered("1", "", {"y"}, "AS");
  scored.options = {"x", "y", "z"};
  scored.option_scores = {-3, -1.5, -2};
  CHECK(accuracy_of(option_likelihood({scored})) == 1);
  scored.option_scores = {-1, -1.5, -2};
  CHECK(accuracy_of(option_likelihood({scored})) == 0);
  scored.references = {"w"};
  CHECK_THROWS_WITH(option_likelihood({scored}), Catch::Contains("not among its options"));
  scored.option_scores.pop_back();
  CHECK_THROWS_WITH(option_likelihood({scored}), Catch::Contains("3 options and 2 option scores"));
}

TEST_CASE("the mean of tasks weighs each task alike") {
  const Measurement letters =
      option_letter({answered("1", "A", {"(A) x"}, "AS"), answered("2", "B", {"(A) x"}, "OS"),
                     answered("3", "B", {"(A) x"}, "OS"), answered("4", "A", {"(A) x"}, "OS")});
  CHECK(accuracy_of(letters) == 0.5);
  CHECK(accuracy_of(mean_of_parts(letters, "mean_of_tasks")) == Approx((1 + 1.0 / 3) / 2));
}

TEST_CASE("questions without references, and no questions, are mistakes that are named") {
  CHECK_THROWS_WITH(exact_match({answered("q1", "a", {})}), Catch::Contains("q1"));
  CHECK_THROWS_WITH(exact_match({}), Catch::Contains("no questions"));
}
