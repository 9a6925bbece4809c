// What users name as a checkpoint: the step that a path stands for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/model_config.h"

namespace vllama::train {

inline constexpr const char* kConfigFile = "config.yaml";
inline constexpr const char* kTrainedFile = "trainable.safetensors";
inline constexpr const char* kCheckpoints = "checkpoints";

// The files of a step that using it needs.
std::vector<std::string> files_in_use();

// The folder of the step that `path` stands for:
//   RUN/checkpoints/step_000100       a saved step, wherever it lies, or any file in it
//   RUN, RUN/checkpoints, RUN/config.yaml
//                                     the newest step of a run that is not damaged
//   RUN/best                          of the steps that are still there, the one with the best
//                                     metric, by checkpoints.best_metric and best_is of the run
// Nothing if it stands for something else: a weight file, a RUN.yaml, what is not there. The
// `needed` files of steps that are chosen among are verified (none named: all files). Throws
// UserError if a run has no step to choose.
std::optional<std::filesystem::path> find_step(
    const std::filesystem::path& path, const std::vector<std::string>& needed = files_in_use());

// The run that a step belongs to; nothing if it does not lie in one.
std::optional<std::filesystem::path> run_of_step(const std::filesystem::path& step);

// Starting points that name steps name their trainable.safetensors afterwards. Throws as
// find_step().
void find_starting_points(models::WeightFiles& weights);

}  // namespace vllama::train
