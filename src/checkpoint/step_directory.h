// Checkpoints of a run: one folder `step_000100` per saved step, whole or not there at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weights/values/tensors.h"

namespace vllama::checkpoint {

struct StepContents {
  // "trainable" -> the tensors of trainable.safetensors
  std::map<std::string, weights::NamedTensors> tensors;
  // "state.json" -> its text
  std::map<std::string, std::string> texts;
};

struct StepDirectory {
  std::int64_t step = 0;
  std::filesystem::path path;
};

struct LoadedStep {
  StepDirectory directory;
  StepContents contents;
};

// Writes the contents and a manifest with the size and CRC-32 of every file into a temporary folder
// beside the final one, brings all of it to the disk and renames it into place; a step of the same
// number is replaced in one move. Removes what a crash left of earlier saves. One process at a time
// may save below `root`, which is created if absent. Throws RunFailure (a full disk) after removing
// what it had written; the steps that were there stay as they were.
StepDirectory save_step(const std::filesystem::path& root, std::int64_t step,
                        const StepContents& contents);

// The step folders below `root` in increasing order; none if `root` is absent. Their content is not
// checked.
std::vector<StepDirectory> list_steps(const std::filesystem::path& root);

// What is wrong with a step (a file is missing or not as it was saved, the manifest included), or
// nothing. Reads every file. Files that the manifest does not name are no damage: nothing reads
// them.
std::optional<std::string> step_damage(const std::filesystem::path& step);

// The names of what lies in a step's folder without being named by its manifest, or the manifest
// itself.
std::vector<std::string> unnamed_files(const std::filesystem::path& step);

// The contents of a step, read and verified at once. Its tensors view the read-only mapping of its
// files (see to_tensor); they stay valid when the step is removed. Files that the manifest does not
// name are listed by a warning in the log. Throws UserError if the step is damaged.
LoadedStep load_step(const std::filesystem::path& step);

// Some files of a step ("config.yaml", "trainable.safetensors"), read and verified at once; the
// others are not looked at. Throws UserError if one of them, or the manifest, is damaged or
// missing.
StepContents load_step_files(const std::filesystem::path& step,
                             const std::vector<std::string>& names);

// What load_step_files() would complain of, or nothing.
std::optional<std::string> damage_of_files(const std::filesystem::path& step,
                                           const std::vector<std::string>& names);

// The newest step without damage, loaded. Damaged newer ones are skipped with a warning in the log
// that says what is wrong with them.
std::optional<LoadedStep> load_newest_step(const std::filesystem::path& root);

// One text of a step, or nothing if it, or the manifest, is not as it was saved.
std::optional<std::string> read_step_text(const std::filesystem::path& step,
                                          const std::string& name);

// Removes steps. Each is first renamed to a hidden name, on the disk, so that none is ever seen
// half removed; what cannot be removed is left with a warning in the log.
void remove_steps(const std::filesystem::path& root, const std::vector<StepDirectory>& steps);

// Removes what killed or crashed saves and removals below `root` left under hidden names.
void remove_leftovers(const std::filesystem::path& root);

}  // namespace vllama::checkpoint
