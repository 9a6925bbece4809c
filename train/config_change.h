// What changed between the configuration of a checkpoint and the one that resumes it.
#pragma once

#include <string>
#include <vector>

#include "train/run_config.h"

namespace vllama::train {

// "schedule.warmup_steps: 20 in the checkpoint, 30 now" for every key that decides what is trained:
// all but those of the output, the machine, logs, checkpoints and memory. `saved` is the text of
// the checkpoint's config.yaml. Other micro-batches that make steps of the same size are no change.
// Throws UserError if the text is no run configuration of this version.
std::vector<std::string> training_changes(const std::string& saved, const RunConfig& current);

}  // namespace vllama::train
