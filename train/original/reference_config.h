// A run's configuration in the words of the Python original, as its checkpoints hold it.
#pragma once

#include <nlohmann/json.hpp>

#include "train/run/run_config.h"

namespace vllama::train {

// {"run", "model", "preprocess", "datasets"}: what has a place there, with the constants of the
// original's own configurations around it. The reverse of import_config() where that reads it.
nlohmann::ordered_json reference_config(const RunConfig& config);

}  // namespace vllama::train
