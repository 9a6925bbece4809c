// Judges every step by its numbers: whether it may change the weights, and whether it deserves a
// look.
#pragma once

#include <cstdint>
#include <string>

#include "train/record/metrics.h"
#include "train/watch/spike_detector.h"

namespace vllama::train {

// What judging remembers from step to step. A run that is resumed with it judges as the undisturbed
// run.
struct StepHealthState {
  std::int64_t num_skipped_in_a_row = 0;  // at the end of the steps done
  SpikeDetector::RecentLosses recent_losses = {};
};

struct StepHealthSettings {
  double spike_z_score = 0;  // losses with more than this are spikes; 0: none is
  bool skip_spikes = false;
};

class StepHealth {
 public:
  StepHealth(const StepHealthSettings& settings, StepHealthState state)
      : settings_(settings),
        num_skipped_in_a_row_(state.num_skipped_in_a_row),
        spikes_(std::move(state.recent_losses)) {}

  // Fills `problem`, `skipped` and `loss_z` from the loss, the gradient norm and the number of
  // target tokens of the global batch. `kind` names steps whose losses are comparable (see
  // SpikeDetector). Every step must be given once, in order; as these numbers are the same on all
  // ranks, so is the verdict.
  void judge(StepMetrics& metrics, const std::string& kind);

  std::int64_t num_skipped_in_a_row() const { return num_skipped_in_a_row_; }
  StepHealthState state() const { return {num_skipped_in_a_row_, spikes_.recent_losses()}; }

 private:
  StepHealthSettings settings_;
  std::int64_t num_skipped_in_a_row_;
  SpikeDetector spikes_;
};

// The problem of a step whose numbers cannot be used, or nothing.
std::optional<StepProblem> unusable(const StepMetrics& metrics);

}  // namespace vllama::train
