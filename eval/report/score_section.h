// The parts of the page that show numbers.
#pragma once

#include <string>

#include "eval/report/report.h"

namespace vllama::eval {

// A table of all scores, each with its interval as a bar.
std::string score_table(const ReportData& data);
// For each score with parts, a bar and an interval per part.
std::string part_bars(const ReportData& data);
// Empty if there is nothing to compare.
std::string comparison_table(const ReportData& data);
// Hashes, versions and the config.
std::string origin_section(const ReportData& data);

}  // namespace vllama::eval
