// Where the likelihoods of options and the model's own words disagree, which score is which.
#pragma once

#include <string>
#include <vector>

#include "eval/scores/measurement.h"

namespace vllama::eval {

// A sentence for the report if `measurements`, those of a task of options chosen by likelihood,
// hold a first_option that differs much from option_likelihood: by a tenth or more, and the
// interval of the paired difference does not hold zero. Empty otherwise.
std::string note_on_choice(const std::vector<Measurement>& measurements,
                           const std::vector<Prediction>& predictions);

}  // namespace vllama::eval
