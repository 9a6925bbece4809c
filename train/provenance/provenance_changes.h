// What is not as it was when a checkpoint was saved.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "train/provenance/provenance.h"

namespace vllama::train {

// A line for each file or count that differs, with what it was and what it is.
struct InputChanges {
  std::vector<std::string> certain;
  // Files too large to be hashed whole, of the same size and the same pieces, that were written at
  // another time.
  std::vector<std::string> possible;

  bool empty() const { return certain.empty() && possible.empty(); }
};

// Both compare content, wherever the files lie. Weights that only one of the two names are changes.
void add_weight_changes(const std::vector<InputFile>& then, const std::vector<InputFile>& now,
                        InputChanges& changes);
// Of the data sets that both name.
void add_data_changes(const std::vector<InputData>& then, const std::vector<InputData>& now,
                      InputChanges& changes);

// provenance_of_step(); where there is none, the log says so.
std::optional<Provenance> recorded_of(const std::filesystem::path& step);

InputChanges changes_between(const Provenance& then, const Provenance& now);

// "'/ckpt/q.pth' (1000 bytes, SHA-256 0123456789ab...)".
std::string described(const InputFile& file);

// What is said where weights that a checkpoint needs are not there; `missing` has a line for each.
std::string missing_weights_text(const std::filesystem::path& checkpoint,
                                 const std::vector<std::string>& missing);

// Warns of what the newest checkpoint of the run was trained on, or that it does not say it, where
// data sets are not as they were: then a step has other samples now.
void warn_of_changed_data(const RunConfig& config, const datasets::Mixture& data);
// The same of the weights of a step.
void warn_of_changed_weights(const models::ModelConfig& config, const std::filesystem::path& step);

// Every change, below a line that names `checkpoint`.
std::string changes_text(const InputChanges& changes, const std::filesystem::path& checkpoint);
// Warns of them in the log, if there are any.
void warn_of(const InputChanges& changes, const std::filesystem::path& checkpoint);

}  // namespace vllama::train
