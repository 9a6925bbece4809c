// Which checkpoints of a run stay, by the three rules of CheckpointConfig.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "checkpoint/step_directory.h"
#include "train/run/checkpoint_config.h"

namespace vllama::train {

struct SavedStep {
  std::int64_t step = 0;
  std::optional<double> metric = {};  // checkpoints.best_metric; absent: not compared
};

// The steps that no rule keeps. `newest`, the checkpoint just saved, always stays. Later ones,
// which a run finds when it went on from an earlier one, stay until the run has come past them. Of
// equal metrics the later step is the better.
std::vector<std::int64_t> steps_to_remove(const std::vector<SavedStep>& saved,
                                          const CheckpointConfig& config, std::int64_t newest);

// Applies the rules to the checkpoints below `root`, reading their metrics from the disk, so that a
// resumed run decides as the one before would have. A checkpoint with a damaged state.json is not
// among the best.
void remove_old_checkpoints(const std::filesystem::path& root, const CheckpointConfig& config,
                            std::int64_t newest);

}  // namespace vllama::train
