// What a user names as a checkpoint: a saved step, a run, or a configuration that names weights.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "train/run_config.h"
#include "train/run_state.h"

namespace vllama::train {

struct SavedCheckpoint {
  std::filesystem::path path;  // the step's folder, or the configuration's file
  RunConfig config;
  // Of a saved step; a configuration has none, its weights are those that it names.
  std::optional<RunProgress> progress = {};
  std::map<std::string, double> metrics = {};

  // trainable.safetensors of the step; empty without one.
  std::string trained_file() const;
};

// `path` is one of
//   RUN/checkpoints/step_000100   a saved step
//   RUN                           a run's folder: its newest step that is not damaged
//   RUN/best                      of the steps that are still there, the one with the best metric,
//                                 by checkpoints.best_metric and best_is of the run
//   RUN.yaml                      the weights that model.weights names
// `overrides` ("key=value") go over the configuration. A step's trainable.safetensors is verified,
// its optimizer is not read. Throws UserError naming the file and what to change.
SavedCheckpoint find_checkpoint(const std::filesystem::path& path,
                                const std::vector<std::string>& overrides = {});

}  // namespace vllama::train
