// Questions to be answered with yes or no, such as probes for objects that are not there (POPE, Li
// et al. 2023).
#pragma once

#include <string_view>
#include <vector>

#include "eval/scores/measurement.h"

namespace vllama::eval {

enum class YesNo { yes, no, none };

// The first sentence of the answer, up to a full stop, decides: no if one of its words is "no" or
// "not" or ends in "n't", whatever the case and the punctuation around it; yes otherwise, as the
// POPE program has it. none only for an answer without any word.
YesNo parse_yes_no(std::string_view answer);

// "accuracy", "precision", "recall", "f1" (yes is the positive answer; 0 where nothing is to divide
// by), "yes_share", and "unclear_share": answers taken for yes that say neither yes nor no. A
// question without an answer counts as answered wrongly, and not as a yes in yes_share. Parts:
// types. Throws UserError naming the question unless its reference is yes or no.
std::vector<Measurement> yes_no_measurements(const std::vector<Prediction>& predictions);

}  // namespace vllama::eval
