// The folder of a run: what lies in it, and the checkpoint that a run goes on from.
#pragma once

#include <filesystem>
#include <optional>

#include "checkpoint/step_directory.h"
#include "train/run/find_step.h"

namespace vllama::train {

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  // Why the folder cannot be one that a run writes into, and what to change; empty if it can.
  // Creates nothing.
  std::string problem() const;
  // Creates the folder and checks that files can be written in it. Throws UserError.
  void prepare() const;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  std::filesystem::path checkpoints() const { return path_ / kCheckpoints; }

  // The checkpoint that `resume` (see TrainOptions) names, verified, or nothing to start anew.
  // Throws UserError.
  std::optional<checkpoint::LoadedStep> load_checkpoint(const std::string& resume) const;

 private:
  std::filesystem::path path_;
};

}  // namespace vllama::train
