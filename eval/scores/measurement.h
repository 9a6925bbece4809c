// What a metric finds in each sample. Every metric here is a function of sums over samples of a few
// numbers, so one bootstrap serves all of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/scores/prediction.h"

namespace vllama::eval {

// The ends between which the value of every sample lies.
struct Scale {
  double lowest = 0, highest = 1;
};

struct Measurement {
  std::string name;
  std::size_t num_statistics = 0;  // per sample
  // [samples, num_statistics].
  std::vector<double> statistics = {};
  // The metric of a set of samples, from the sums of their statistics. May be NaN where it is not
  // defined.
  std::function<double(std::span<const double>)> value = {};
  std::optional<Scale> scale = {};  // of the values of samples; none: they have no bounds
  // From the sums, how many questions, mentions, ... the value is a mean over; empty: the samples.
  std::function<double(std::span<const double>)> num_counted = {};
  std::vector<double> per_sample = {};  // value of each sample alone; empty where that has no sense
  std::vector<std::string> ids = {};    // of the samples
  std::vector<char> is_missing = {};    // without an answer: counted as wrong
  std::vector<std::string> parts = {};  // name of the part of each sample; empty: no parts
  // Per sample, and empty where that has no sense: how probably a guess is right, and what is
  // right.
  std::vector<double> chance = {};
  std::vector<std::string> right_answers = {};
  std::map<std::string, std::string> facts = {};  // tokenizer, judge, ...: shown beside the score

  std::size_t num_samples() const { return ids.size(); }
};

// A measurement without statistics, with what it takes from the predictions. Throws UserError if
// there are none.
Measurement empty_measurement(const std::string& name, const std::vector<Prediction>& predictions);

// The mean of one number per sample.
Measurement mean_measurement(const std::string& name, const std::vector<Prediction>& predictions,
                             std::vector<double> values, std::optional<Scale> scale);

// The type of each question, for Measurement::parts; empty if none has one.
std::vector<std::string> types_of(const std::vector<Prediction>& predictions);

// sums[0] / sums[1], NaN for 0 / 0.
double ratio_of_sums(std::span<const double> sums);

}  // namespace vllama::eval
