// A metric's value with its confidence interval, and the comparison of two runs.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "eval/scores/measurement.h"

namespace vllama::eval {

struct Score {
  std::string name;
  double value = 0;                     // NaN for a part on which the metric is not defined
  double low = 0, high = 0;             // bounds of the confidence interval
  bool is_wilson = false;               // the interval: of samples that are all alike
  std::int64_t num_scored = 0;          // samples with an answer
  std::int64_t num_missing = 0;         // samples without: they count as wrong
  std::int64_t num_left_out = 0;        // broken rows of the annotation: in none of these numbers
  std::optional<double> chance = {};    // of a guess, where there are options
  std::optional<double> majority = {};  // of always giving the commonest answer of the part
  std::vector<Score> parts = {};        // per question type or task, sorted by name
  std::vector<double> per_sample = {};  // empty where one sample alone has no value
  std::vector<std::string> ids = {};    // of the samples, in the order of per_sample
  std::map<std::string, std::string> facts = {};
};

struct BootstrapOptions {
  std::int64_t num_resamples = 1000;
  std::uint64_t seed = 0;
  double confidence = 0.95;
};

// The metric over all samples and over each part. The interval is the percentile bootstrap over
// samples (Efron): the same number of samples is drawn with replacement, num_resamples times, and
// the outer (1 - confidence) / 2 of the values are cut off at both ends. Resamples in which the
// metric is not defined are left out. If all draws are equal, and the metric has a scale, the
// interval is Wilson's. Throws UserError if the metric is not defined on the samples.
Score score(const Measurement& measurement, const BootstrapOptions& options = {});

struct Comparison {
  std::string name;
  double first = 0, second = 0;  // values of the two runs
  double difference = 0;         // second - first
  double low = 0, high = 0;      // its confidence interval
  double p_value = 1;            // two-sided
  bool is_wilson = false;        // the interval: of differences that are all alike
};

// Paired bootstrap: both runs are resampled with the same questions. The p-value is
// (1 + #{|d* - d| >= |d|}) / (1 + num_resamples), d* being the difference in a resample, and at
// least 2^(1 - m) if m questions differ: no two-sided test that swaps the runs of single questions
// tells more. Throws UserError when the two are not of the same metric and the same questions in
// the same order.
Comparison compare(const Measurement& first, const Measurement& second,
                   const BootstrapOptions& options = {});

// {"name", "value", "interval": [low, high], "num_scored", "num_missing"}, and "num_left_out",
// "interval_method": "Wilson", "chance", "majority", "facts" and "parts" where there are any.
// Numbers that are not finite become null.
nlohmann::ordered_json score_json(const Score& score);
nlohmann::ordered_json comparison_json(const Comparison& comparison);

}  // namespace vllama::eval
