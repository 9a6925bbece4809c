// The folder of a run: what lies in it, and what its checkpoints hold besides tensors.
#pragma once

#include <filesystem>
#include <optional>

#include "checkpoint/step_directory.h"
#include "train/run_config.h"
#include "train/step_health.h"

namespace vllama::train {

// What a run remembers, apart from tensors: enough to go on as if it had never stopped.
struct RunProgress {
  std::int64_t num_steps_done = 0;
  std::int64_t num_samples = 0;  // planned, good and broken
  std::int64_t num_dropped = 0;
  StepHealthState health = {};
};

class RunFolder {
 public:
  // Creates the folder and checks that files can be written in it. Throws UserError.
  explicit RunFolder(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }

  // The checkpoint that `resume` (see TrainOptions) names, or nothing to start anew. Throws
  // UserError.
  std::optional<checkpoint::StepDirectory> find_checkpoint(const std::string& resume) const;

  // Saves a checkpoint and removes old ones. Throws RunFailure; older checkpoints are then intact.
  void save(const RunConfig& config, const RunProgress& progress,
            std::map<std::string, checkpoint::NamedTensors> tensors) const;

 private:
  std::filesystem::path path_;
};

// The progress that a checkpoint recorded. Throws UserError if it does not hold it.
RunProgress read_progress(const checkpoint::StepContents& contents);

}  // namespace vllama::train
