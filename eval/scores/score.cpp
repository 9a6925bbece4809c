#include "eval/scores/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/error.h"
#include "eval/scores/baselines.h"
#include "eval/scores/resampling.h"

namespace vllama::eval {
namespace {

using Places = std::vector<std::size_t>;

constexpr const char* kWilson = "Wilson";

std::span<const double> statistics_of(const Measurement& measurement, std::size_t sample) {
  return std::span(measurement.statistics)
      .subspan(sample * measurement.num_statistics, measurement.num_statistics);
}

double checked_value(const Measurement& measurement, const Places& samples) {
  const double value = value_of(measurement, samples);
  if (!std::isfinite(value))
    throw UserError(
        fmt::format("{}: is not defined on these {} samples", measurement.name, samples.size()));
  return value;
}

bool has_no_width(const Interval& interval) {
  constexpr double kRounding = 1e-12;
  return interval.high - interval.low < kRounding;
}

// What the value on these samples is a mean over.
double num_counted(const Measurement& measurement, const Places& samples) {
  return measurement.num_counted ? measurement.num_counted(sums_of(measurement, samples))
                                 : static_cast<double>(samples.size());
}

std::size_t num_different(const Measurement& first, const Measurement& second) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < first.num_samples(); ++i)
    count += !std::ranges::equal(statistics_of(first, i), statistics_of(second, i));
  return count;
}

Score score_of(const std::string& name, const Measurement& measurement, const Places& samples,
               const BootstrapOptions& options) {
  Score result{.name = name, .value = value_of(measurement, samples)};
  result.chance = chance_level(measurement, samples);
  result.majority = majority_level(measurement, samples);
  for (const std::size_t sample : samples)
    ++(measurement.is_missing[sample] ? result.num_missing : result.num_scored);
  std::vector<double> values;
  Resampling resampling(samples, options.seed);
  for (std::int64_t i = 0; i < options.num_resamples; ++i)
    values.push_back(value_of(measurement, resampling.next()));
  Interval interval = percentile_interval(std::move(values), options.confidence);
  if (measurement.scale && has_no_width(interval)) {
    interval = interval_of_equal_samples(result.value, num_counted(measurement, samples),
                                         *measurement.scale, options.confidence);
    result.is_wilson = true;
  }
  result.low = interval.low;
  result.high = interval.high;
  return result;
}

// The day of judging may differ.
void require_same_facts(const Measurement& first, const Measurement& second) {
  std::map<std::string, std::string> facts = first.facts;
  facts.insert(second.facts.begin(), second.facts.end());
  facts.erase("judge_date");
  const auto fact_of = [](const Measurement& measurement, const std::string& name) {
    const auto found = measurement.facts.find(name);
    return found == measurement.facts.end() ? std::string("none") : found->second;
  };
  for (const auto& [name, ignored] : facts)
    if (fact_of(first, name) != fact_of(second, name))
      throw UserError(
          fmt::format("{}: the two runs were measured in different ways: their {} is '{}' and '{}'",
                      first.name, name, fact_of(first, name), fact_of(second, name)));
}

}  // namespace

Score score(const Measurement& measurement, const BootstrapOptions& options) {
  Places all(measurement.num_samples());
  std::iota(all.begin(), all.end(), std::size_t{0});
  checked_value(measurement, all);
  Score result = score_of(measurement.name, measurement, all, options);
  result.per_sample = measurement.per_sample;
  result.ids = measurement.ids;
  result.facts = measurement.facts;
  std::map<std::string, Places> places_of_part;
  for (std::size_t i = 0; i < measurement.parts.size(); ++i)
    places_of_part[measurement.parts[i]].push_back(i);
  for (const auto& [part, places] : places_of_part)
    result.parts.push_back(score_of(part, measurement, places, options));
  return result;
}

Comparison compare(const Measurement& first, const Measurement& second,
                   const BootstrapOptions& options) {
  if (first.name != second.name)
    throw UserError(fmt::format("cannot compare '{}' with '{}'", first.name, second.name));
  require_same_facts(first, second);
  if (first.ids != second.ids)
    throw UserError(fmt::format(
        "{}: the two runs answered different questions ({} and {}); compare runs of the same "
        "annotation file",
        first.name, first.num_samples(), second.num_samples()));
  Places all(first.num_samples());
  std::iota(all.begin(), all.end(), std::size_t{0});
  Comparison result{.name = first.name};
  result.first = checked_value(first, all);
  result.second = checked_value(second, all);
  result.difference = result.second - result.first;
  std::vector<double> differences;
  std::int64_t num_as_extreme = 0;
  Resampling resampling(all, options.seed);
  for (std::int64_t i = 0; i < options.num_resamples; ++i) {
    const Places& drawn = resampling.next();
    const double difference = value_of(second, drawn) - value_of(first, drawn);
    differences.push_back(difference);
    // A resample without a value counts as one that speaks against a difference.
    const bool is_less = std::abs(difference - result.difference) < std::abs(result.difference);
    if (!is_less) ++num_as_extreme;
  }
  const double least_p_value = std::ldexp(1.0, 1 - static_cast<int>(num_different(first, second)));
  result.p_value = std::clamp(
      static_cast<double>(1 + num_as_extreme) / static_cast<double>(1 + options.num_resamples),
      std::min(least_p_value, 1.0), 1.0);
  Interval interval = percentile_interval(std::move(differences), options.confidence);
  if (first.scale && second.scale && has_no_width(interval)) {
    const double width = first.scale->highest - first.scale->lowest;
    interval = interval_of_equal_samples(
        result.difference, std::min(num_counted(first, all), num_counted(second, all)),
        {.lowest = -width, .highest = width}, options.confidence);
    result.is_wilson = true;
  }
  result.low = interval.low;
  result.high = interval.high;
  return result;
}

nlohmann::ordered_json score_json(const Score& score) {
  nlohmann::ordered_json object;
  object["name"] = score.name;
  object["value"] = score.value;
  object["interval"] = {score.low, score.high};
  if (score.is_wilson) object["interval_method"] = kWilson;
  object["num_scored"] = score.num_scored;
  object["num_missing"] = score.num_missing;
  if (score.num_left_out > 0) object["num_left_out"] = score.num_left_out;
  if (score.chance) object["chance"] = *score.chance;
  if (score.majority) object["majority"] = *score.majority;
  if (!score.facts.empty()) object["facts"] = score.facts;
  for (const Score& part : score.parts) object["parts"].push_back(score_json(part));
  return object;
}

nlohmann::ordered_json comparison_json(const Comparison& comparison) {
  nlohmann::ordered_json object;
  object["name"] = comparison.name;
  object["first"] = comparison.first;
  object["second"] = comparison.second;
  object["difference"] = comparison.difference;
  object["interval"] = {comparison.low, comparison.high};
  if (comparison.is_wilson) object["interval_method"] = kWilson;
  object["p_value"] = comparison.p_value;
  return object;
}

}  // namespace vllama::eval
