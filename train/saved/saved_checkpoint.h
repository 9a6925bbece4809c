// What a user names as a checkpoint: a saved step, a run, or a configuration that names weights.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "train/run/run_config.h"
#include "train/run/run_state.h"

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

// `path` names a step (see find_step()), or is a RUN.yaml: the weights that model.weights names; or
// it is the folder of a language model alone, which is talked to as its own files say.
// `overrides` ("key=value") go over the configuration. A step's trainable.safetensors is verified,
// its optimizer is not read. Of a step that has recorded what it was trained on, paths are settled
// (see settled()), weights that changed are warned of, and starting points that are gone and not
// needed are left out. Throws UserError naming the file and what to change; weights that are gone
// with what they were and where they were looked for.
SavedCheckpoint find_checkpoint(const std::filesystem::path& path,
                                const std::vector<std::string>& overrides = {});

}  // namespace vllama::train
