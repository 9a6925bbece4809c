// What a metric would be without looking: of a guess, and of always giving the commonest answer.
#pragma once

#include <optional>

#include "eval/scores/measurement.h"

namespace vllama::eval {

// Of questions with options: a guess is right once in as many times as there are options, and the
// commonest answer is taken among the first references.
void add_option_baselines(Measurement& measurement, const std::vector<Prediction>& predictions);

// Mean of Measurement::chance over the samples at `places`; nothing if there is none.
std::optional<double> chance_level(const Measurement& measurement,
                                   const std::vector<std::size_t>& places);

// The share that is right of whoever knows the part of each sample and always gives its commonest
// answer; nothing without Measurement::right_answers.
std::optional<double> majority_level(const Measurement& measurement,
                                     const std::vector<std::size_t>& places);

}  // namespace vllama::eval
