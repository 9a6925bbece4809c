// What a check found, as text for people and as JSON for programs.
#pragma once

#include <string>

#include "train/check/check.h"

namespace vllama::train {

std::string report_text(const CheckReport& report, bool has_unicode);

// One object: problems, data_sets, plan.
std::string report_json(const CheckReport& report);

}  // namespace vllama::train
