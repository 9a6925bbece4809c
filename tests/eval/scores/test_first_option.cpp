// The option that an answer names first, and what a metric would be without looking.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "eval/scores/first_option.h"
#include "eval/scores/question_answering.h"
#include "eval/scores/score.h"

using namespace vllama;
using namespace vllama::eval;
using Catch::Contains;

namespace {

Prediction written(const std::string& id, const std::string& type, const std::string& right,
                   const std::string& answer, std::vector<std::string> options) {
  Prediction result{.id = id, .video = "v", .question = "?", .type = type};
  result.references = {right};
  result.prediction = answer;
  result.options = std::move(options);
  return result;
}

const Score& part(const Score& whole, const std::string& name) {
  for (const Score& found : whole.parts)
    if (found.name == name) return found;
  FAIL("no part " << name);
  return whole;
}

}  // namespace

TEST_CASE("first option: whole words, the first that is named, the longest at a place") {
  const std::vector<std::string> places = {"top", "Top left", "left", "the middle"};
  using Place = std::optional<std::size_t>;
  CHECK(first_named_option("it is at the top left .", places) == Place(1));
  CHECK(first_named_option("TOP!", places) == Place(0));
  CHECK(first_named_option("to the left, not at the top", places) == Place(2));
  CHECK(first_named_option("top-left", places) == Place(1));
  CHECK(first_named_option("stop, leftmost and the, middle", places) == Place(3));
  CHECK(first_named_option("stop, leftmost", places) == Place());
  CHECK(first_named_option("", places) == Place());
  CHECK(first_named_option("caf\xC3\xA9.", {"caf", "Caf\xC3\xA9"}) == Place(1));
  CHECK_THROWS_WITH(first_named_option("x", {"?"}), Contains("'?' has no word"));
}

TEST_CASE("first option: by type, with the levels of a guess and of the commonest answer") {
  const std::vector<std::string> colours = {"red", "green", "blue", "white"};
  const std::vector<std::string> yes_no = {"yes", "no"};
  std::vector<Prediction> predictions = {
      written("1", "colour", "red", "the circle is red .", colours),
      written("2", "colour", "red", "green, or is it red?", colours),
      written("3", "colour", "blue", "It is reddish blue.", colours),
      written("4", "bound", "yes", "Yes.", yes_no), written("5", "bound", "no", "", yes_no)};
  const Score whole = score(first_option(predictions), {.num_resamples = 10});
  CHECK(whole.name == "first_option");
  CHECK(whole.value == 3.0 / 5);
  CHECK(part(whole, "colour").value == 2.0 / 3);
  CHECK(part(whole, "colour").chance == 0.25);
  CHECK(part(whole, "colour").majority == 2.0 / 3);
  CHECK(part(whole, "bound").value == 0.5);
  CHECK(part(whole, "bound").chance == 0.5);
  CHECK(*whole.chance == Approx((3 * 0.25 + 2 * 0.5) / 5));
  CHECK(whole.majority == 3.0 / 5);
  CHECK(score_json(part(whole, "bound"))["majority"] == 0.5);

  SECTION("an answer that is missing is wrong, whatever it says") {
    predictions[0].status = "broken";
    CHECK(score(first_option(predictions), {.num_resamples = 10}).value == 2.0 / 5);
  }
  SECTION("questions without a right option are refused") {
    predictions[0].references = {"purple"};
    CHECK_THROWS_WITH(first_option(predictions), Contains("'1'") && Contains("4 options"));
  }
  SECTION("the mean of its parts has no such levels, open answers neither") {
    const Measurement mean = mean_of_parts(first_option(predictions), "mean_of_tasks");
    CHECK_FALSE(score(mean, {.num_resamples = 10}).chance);
    CHECK_FALSE(score(exact_match(predictions), {.num_resamples = 10}).majority);
    CHECK_FALSE(score_json(score(mean, {.num_resamples = 10})).contains("chance"));
  }
}
