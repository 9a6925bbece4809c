// Everything that the steps of a run leave behind for people: metrics, dropped samples, bad
// steps, TensorBoard events, and the progress display.
#pragma once

#include "train/loop/validation_log.h"
#include "train/record/bad_steps.h"
#include "train/record/dropped_log.h"
#include "train/record/metrics.h"
#include "train/record/progress.h"
#include "train/record/tensorboard.h"
#include "train/run/run_config.h"
#include "train/run/run_folder.h"

namespace vllama::train {

class RunRecord {
 public:
  // Goes on after `num_steps_done` steps; what the files say of later ones is removed.
  RunRecord(const RunConfig& config, const RunFolder& folder, std::int64_t num_steps_done);

  // One step, over all ranks. Throws RunFailure, for instance on a full disk.
  void write(StepMetrics metrics, std::vector<datasets::DroppedSample> dropped);
  // The same step, if something was wrong with it, with the samples of all ranks.
  void write_bad(const StepMetrics& metrics, std::vector<StepSample> samples);
  // What an evaluation after `step` steps gave.
  void write_validation(std::int64_t step, const ValidationResult& result);
  // No more steps: what is printed from now on stands below the display.
  void finish() { display_.finish(); }

 private:
  MetricsWriter metrics_;
  DroppedLog dropped_;
  BadStepLog bad_steps_;
  ValidationLog validations_;
  TensorboardWriter events_;
  Progress display_;
};

}  // namespace vllama::train
