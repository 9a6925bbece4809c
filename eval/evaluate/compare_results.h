// Two evaluations of the same questions, side by side.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "eval/scores/score.h"

namespace vllama::eval {

struct TaskComparison {
  std::string task;
  std::vector<Comparison> metrics;
};

// Of every task that both results hold, each a folder that vllama eval wrote into: the metrics that
// both have, and a paired bootstrap over their questions. Throws UserError if they have no task in
// common, or a task's questions differ.
std::vector<TaskComparison> compare_results(const std::filesystem::path& first,
                                            const std::filesystem::path& second,
                                            const BootstrapOptions& options = {});

// A line per metric: both values, the difference with its interval, and its p-value.
std::string comparison_text(const std::vector<TaskComparison>& comparisons);

}  // namespace vllama::eval
