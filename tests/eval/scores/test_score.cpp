// Confidence intervals and comparisons by bootstrap.
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "eval/scores/resampling.h"
#include "eval/scores/score.h"
#include "eval/scores/yes_no.h"

using namespace vllama;
using namespace vllama::eval;

namespace {

Measurement mean_of(const std::vector<double>& values, std::optional<Scale> scale = {}) {
  std::vector<Prediction> predictions;
  for (std::size_t i = 0; i < values.size(); ++i) predictions.push_back({.id = std::to_string(i)});
  return mean_measurement("mean", predictions, values, scale);
}

Measurement share_of(const std::vector<double>& values) {
  return mean_of(values, Scale{});
}

// Wilson's bounds of `num_right` of n, at 95 %.
Interval wilson(double num_right, double n) {
  constexpr double z = 1.959963984540054;
  const double share = num_right / n, middle = (share + z * z / (2 * n)) / (1 + z * z / n);
  const double half =
      z / (1 + z * z / n) * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return {middle - half, middle + half};
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

TEST_CASE("samples that are all alike have Wilson's interval on a scale, and none without") {
  for (const std::size_t count : {1, 2, 5, 100, 1000}) {
    const auto n = static_cast<double>(count);
    const Score right = score(share_of(std::vector<double>(count, 1)));
    CHECK(right.is_wilson);
    CHECK(right.low == Approx(wilson(n, n).low));
    CHECK(right.high == 1);
    const Score wrong = score(share_of(std::vector<double>(count, 0)));
    CHECK(wrong.low == 0);
    CHECK(wrong.high == Approx(wilson(0, n).high));
    CHECK(wrong.high < 1);
  }
  CHECK(score(share_of({1})).low == Approx(0.2065).margin(1e-4));
  // Where samples differ it is the bootstrap.
  CHECK_FALSE(score(share_of({1, 0})).is_wilson);
  const Score between = score(share_of({0.6, 0.6}));
  CHECK(between.low < 0.3);
  CHECK(between.high > 0.8);
  CHECK(score(mean_of({3, 3}, Scale{.lowest = 0, .highest = 5})).high < 5);
  const Score without_scale = score(mean_of({1, 1, 1}));
  CHECK_FALSE(without_scale.is_wilson);
  CHECK(without_scale.low == 1);
  CHECK(without_scale.high == 1);
}

TEST_CASE("Wilson's interval counts what the metric is about, also of a part") {
  std::vector<Prediction> predictions;
  for (int i = 0; i < 20; ++i) {
    Prediction& prediction = predictions.emplace_back();
    prediction.id = std::to_string(i);
    prediction.type = i < 4 ? "few" : "many";
    prediction.references = {i % 10 == 0 ? "yes" : "no"};
    prediction.prediction = prediction.references.front();
  }
  const auto measurements = yes_no_measurements(predictions);
  for (const Measurement& measurement : measurements) {
    INFO(measurement.name);
    const Score found = score(measurement);
    if (measurement.name == "accuracy") {
      CHECK(found.low == Approx(wilson(20, 20).low));
      CHECK(found.parts.at(0).low == Approx(wilson(4, 4).low));
      CHECK(score_json(found)["interval_method"] == "Wilson");
    }
    // Two questions are about what is there. Draws without any of them count as wrong answers.
    if (measurement.name == "precision") CHECK_FALSE(found.is_wilson);
    if (measurement.name == "yes_share") CHECK_FALSE(found.is_wilson);
  }
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
  CHECK_FALSE(same.is_wilson);
}

// Tango's score interval (Statistics in Medicine 17, 1998) of paired shares, where no pair differs,
// and where all do.
TEST_CASE("differences that are all alike have an interval, and few of them prove little") {
  for (const std::size_t count : {1, 3, 10, 200}) {
    const auto n = static_cast<double>(count);
    const Measurement right = share_of(std::vector<double>(count, 1));
    const Measurement wrong = share_of(std::vector<double>(count, 0));
    const Comparison same = compare(right, right);
    CHECK(same.is_wilson);
    CHECK(same.high == Approx(wilson(0, n).high));
    CHECK(same.low == -same.high);
    CHECK(same.p_value == 1);
    const Comparison better = compare(wrong, right);
    CHECK(better.difference == 1);
    CHECK(better.low == Approx(2 * wilson(n, n).low - 1));
    CHECK(better.high == 1);
    CHECK(better.p_value == Approx(std::max(1.0 / 1001, std::ldexp(1.0, 1 - int(count)))));
    CHECK(comparison_json(better)["interval_method"] == "Wilson");
  }
  // Two pairs that differ cannot speak against chance, however many are equal.
  std::vector<double> first(100, 1), second = first;
  first[3] = first[70] = 0;
  CHECK(compare(share_of(first), share_of(second)).p_value >= 0.5);
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
