// Confidence intervals and comparisons by bootstrap.
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "eval/scores/resampling.h"
#include "eval/scores/score.h"

using namespace vllama;
using namespace vllama::eval;

namespace {

Measurement mean_of(const std::vector<double>& values) {
  std::vector<Prediction> predictions;
  for (std::size_t i = 0; i < values.size(); ++i) predictions.push_back({.id = std::to_string(i)});
  return mean_measurement("mean", predictions, values);
}

std::vector<double> alternating(std::size_t count, std::size_t period) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = i % period == 0;
  return values;
}

}  // namespace

TEST_CASE("percentiles are interpolated and pass over what is not a number") {
  std::vector<double> values{NAN};
  for (int i = 100; i >= 0; --i) values.push_back(i);
  const Interval interval = percentile_interval(values, 0.95);
  CHECK(interval.low == Approx(2.5));
  CHECK(interval.high == Approx(97.5));
  CHECK(std::isnan(percentile_interval({NAN}, 0.95).low));
}

TEST_CASE("the interval of a share is that of the normal approximation, and repeatable") {
  const Measurement measurement = mean_of(alternating(1000, 4));
  const Score first = score(measurement), again = score(measurement);
  CHECK(first.value == 0.25);
  CHECK(first.low == again.low);
  CHECK(first.high == again.high);
  // Standard error sqrt(p (1 - p) / n); 1000 resamples place its ends within a tenth of it.
  const double error = std::sqrt(0.25 * 0.75 / 1000);
  CHECK(first.low == Approx(0.25 - 1.96 * error).margin(0.2 * error));
  CHECK(first.high == Approx(0.25 + 1.96 * error).margin(0.2 * error));
  CHECK(score(measurement, {.seed = 1}).low != first.low);
}

TEST_CASE("samples that are all alike have an interval without width") {
  const Score result = score(mean_of({1, 1, 1}));
  CHECK(result.low == 1);
  CHECK(result.high == 1);
}

TEST_CASE("runs are compared on the same questions") {
  const Measurement low = mean_of(alternating(1000, 4)), high = mean_of(alternating(1000, 2));
  const Comparison better = compare(low, high);
  CHECK(better.difference == 0.25);
  CHECK(better.low > 0.2);
  CHECK(better.high < 0.3);
  CHECK(better.p_value == Approx(1.0 / 1001));
  // The same answers differ in nothing, in no resample.
  const Comparison same = compare(low, low);
  CHECK(same.difference == 0);
  CHECK(same.low == 0);
  CHECK(same.high == 0);
  CHECK(same.p_value == 1);
}

TEST_CASE("a difference by chance has a large p-value") {
  std::vector<double> one = alternating(400, 2), other = one;
  std::swap(other[0], other[1]);
  other[2] = 0;
  const Comparison result = compare(mean_of(one), mean_of(other));
  CHECK(result.difference == Approx(-1.0 / 400));
  CHECK(result.p_value > 0.3);
}

TEST_CASE("what cannot be compared says so") {
  CHECK_THROWS_WITH(compare(mean_of({1, 0}), mean_of({1})), Catch::Contains("different questions"));
  Measurement other = mean_of({1, 0});
  other.name = "other";
  CHECK_THROWS_WITH(compare(mean_of({1, 0}), other), Catch::Contains("cannot compare"));
  other = mean_of({1, 0});
  other.facts["tokenizer"] = "ptb";
  CHECK_THROWS_WITH(compare(mean_of({1, 0}), other),
                    Catch::Contains("tokenizer is 'none' and 'ptb'"));
  other.facts = {{"judge_date", "2026-11-21"}};
  CHECK(compare(mean_of({1, 0}), other).difference == 0);
}

TEST_CASE("a metric that is not defined on the samples is an error") {
  Measurement measurement = mean_of({1, 0});
  measurement.value = [](std::span<const double>) { return NAN; };
  CHECK_THROWS_WITH(score(measurement), Catch::Contains("not defined"));
}

TEST_CASE("scores and comparisons as JSON") {
  Measurement measurement = mean_of({1, 0});
  measurement.parts = {"x", "y"};
  measurement.facts["tokenizer"] = "simple";
  const auto object = score_json(score(measurement));
  CHECK(object["name"] == "mean");
  CHECK(object["value"] == 0.5);
  CHECK(object["interval"] == nlohmann::ordered_json{0.0, 1.0});
  CHECK(object["facts"]["tokenizer"] == "simple");
  CHECK(object["parts"][0]["name"] == "x");
  CHECK(object["parts"][0]["value"] == 1.0);
  CHECK(comparison_json(compare(measurement, measurement))["p_value"] == 1.0);
}
