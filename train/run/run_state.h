// state.json of a checkpoint: what a run remembers besides tensors.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "checkpoint/step_directory.h"
#include "train/watch/step_health.h"

namespace vllama::train {

inline constexpr const char* kStateFile = "state.json";

// The mean of a metric over the steps that had one.
struct MetricSum {
  double sum = 0;
  std::int64_t num_steps = 0;

  void add(double value);  // a value that is not finite is left out
};

// Enough to go on as if the run had never stopped.
struct RunProgress {
  std::int64_t num_steps_done = 0;
  std::int64_t num_samples = 0;  // planned, good and broken
  std::int64_t num_dropped = 0;
  // By metric, since the last step that is a multiple of checkpoints.every_steps. A run that is
  // stopped in between goes on summing, so its checkpoints compare as those of an undisturbed run.
  std::map<std::string, MetricSum> metric_sums = {};
  StepHealthState health = {};
};

// Metrics without a step are left out.
std::map<std::string, double> mean_metrics(const RunProgress& progress);

// `metrics` is what retention compares this checkpoint with others by; empty if it has no part in
// that. Values that are not finite are left out.
std::string state_text(const RunProgress& progress, const std::map<std::string, double>& metrics);

// The progress that a checkpoint recorded. Throws UserError if it does not hold it.
RunProgress read_progress(const checkpoint::StepContents& contents);

// The metrics in the text of a state.json; none if it is damaged.
std::map<std::string, double> read_state_metrics(const std::string& state);

}  // namespace vllama::train
