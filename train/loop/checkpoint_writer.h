// Saves checkpoints beside the training: a snapshot now, the disk later.
#pragma once

#include <filesystem>
#include <future>
#include <map>
#include <string>

#include "checkpoint/step_directory.h"
#include "train/run/checkpoint_config.h"
#include "train/run/folder_lock.h"
#include "train/run/run_state.h"

namespace vllama::train {

// One per run, on the rank that writes. All functions are for the training thread.
//
// A save that fails ends the run: the next save(), check() or wait() throws RunFailure, which says
// which checkpoint could not be saved, why, and which one is intact.
class CheckpointWriter {
 public:
  // Creates `root` if absent, and removes what killed saves left in it. `texts`, by the
  // names of their files, are part of every checkpoint. Throws UserError if `root` cannot be
  // created or another process saves into it.
  CheckpointWriter(std::filesystem::path root, CheckpointConfig config,
                   std::map<std::string, std::string> texts);
  // Waits for a save under way; reports its failure in the log.
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  // Copies the tensors (from any device) into host memory that is used again by the next call, and
  // returns; a thread writes them and then removes the checkpoints that no rule keeps. Waits first
  // if the save before is still being written. For `metrics` see state_text().
  void save(const RunProgress& progress,
            const std::map<std::string, weights::NamedTensors>& tensors,
            const std::map<std::string, double>& metrics);

  // Whether the last save is still under way.
  bool is_writing() const;

  // Throws the failure of a save that has ended; does not wait for one under way.
  void check();

  // Returns when everything saved is on the disk.
  void wait();

 private:
  void take_snapshot(const std::map<std::string, weights::NamedTensors>& tensors);
  void write(std::int64_t step) const;

  std::filesystem::path root_;
  FolderLock lock_;
  CheckpointConfig config_;
  checkpoint::StepContents snapshot_;
  std::future<void> writing_;
  bool has_told_of_waiting_ = false;
};

}  // namespace vllama::train
