// The training run, from its configuration to its last checkpoint.
#pragma once

#include <functional>
#include <string>

#include "train/run/run_config.h"

namespace vllama::train {

struct TrainOptions {
  // "auto": from the newest complete checkpoint of the run's folder, if there is one. "never": from
  // the start, in a folder without checkpoints. Else what names a step, see find_step().
  std::string resume = "auto";
  bool accept_changes = false;  // resume although the configuration trains something else
  bool dry_run = false;         // stop after the start-up report
  // Told, perhaps in another thread, why the run has failed, and within how many seconds train()
  // should return or throw. It may not, when a reader or a device never comes back.
  std::function<void(const std::string& reason, double seconds)> when_failed = {};
};

// Trains to the end, or until a signal. Returns 0, or 128 + n if signal n ended the run after a
// checkpoint was saved. Throws UserError for what must be changed before training can begin,
// RunFailure for a run that cannot go on.
int train(const RunConfig& config, const TrainOptions& options);

}  // namespace vllama::train
