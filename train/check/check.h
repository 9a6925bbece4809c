// Everything about a run that can be known before it is launched.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "train/check/dataset_check.h"
#include "train/plan/startup_report.h"
#include "train/run/run_config.h"

namespace vllama::train {

struct RunPlan {
  std::int64_t num_epochs = 0, num_steps = 0, samples_per_step = 0;
  std::vector<ModulePlan> modules = {};
  std::vector<DatasetPlan> sets = {};  // those that could be opened
  MemoryEstimate memory = {};          // of one rank
  std::string tables = {};             // as the start-up report has them
  // What sizes were taken for a language model whose config.json cannot be read; else empty.
  std::string assumed = {};
};

struct CheckReport {
  std::vector<std::string> problems;      // each says what to change; none if the run may start
  std::vector<std::string> warnings;      // the run may start, and perhaps should not
  std::vector<DatasetFindings> datasets;  // in the order of the configuration
  std::optional<RunPlan> plan;            // nothing where the model's sizes contradict each other
};

// Looks at configuration, tokenizer, weight files (names and shapes), data sets and media, and at
// whether the run may go on from the checkpoint that it would go on from, which it reads. Of other
// tensors it reads none, and it uses no GPU. Problems are findings; throws only RunFailure, if a
// file changes meanwhile.
CheckReport check(const RunConfig& config, const CheckOptions& options);

}  // namespace vllama::train
