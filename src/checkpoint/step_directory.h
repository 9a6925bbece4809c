// Checkpoints of a run: one folder `step_000100` per saved step, whole or not there at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/tensors.h"

namespace vllama::checkpoint {

struct StepContents {
  // "trainable" -> the tensors of trainable.safetensors
  std::map<std::string, NamedTensors> tensors;
  // "state.json" -> its text
  std::map<std::string, std::string> texts;
};

struct StepDirectory {
  std::int64_t step = 0;
  std::filesystem::path path;
};

// Writes the contents and a manifest with the size and CRC-32 of every file into a temporary folder
// beside the final one, brings all of it to the disk and renames it into place; a step of the same
// number is replaced in one move. Removes what a crash left of earlier saves. One process at a time
// may save below `root`, which is created if absent. Throws RunFailure (a full disk) after removing
// what it had written; the steps that were there stay as they were.
StepDirectory save_step(const std::filesystem::path& root, std::int64_t step,
                        const StepContents& contents);

// The steps below `root` that have a manifest, in increasing order; none if `root` is absent. Their
// content is not checked.
std::vector<StepDirectory> list_steps(const std::filesystem::path& root);

// What is wrong with a step (a missing file, another size, another checksum), or nothing. Reads
// every file.
std::optional<std::string> step_damage(const std::filesystem::path& step);

// The newest step without damage. Damaged newer ones are skipped with a warning in the log that
// says what is wrong with them.
std::optional<StepDirectory> newest_complete_step(const std::filesystem::path& root);

// The contents of a step. Its tensors view the read-only mapping of its files (see to_tensor); they
// stay valid when the step is pruned. Throws UserError if the step is damaged.
StepContents load_step(const std::filesystem::path& step);

// Removes all but the newest `num_kept` (at least 1) steps. The newest step without damage stays in
// any case.
void prune_steps(const std::filesystem::path& root, std::int64_t num_kept);

}  // namespace vllama::checkpoint
