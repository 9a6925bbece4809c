// Whether a checkpoint still needs what its run started from.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/model_config.h"

namespace vllama::train {

// The keys below model.weights of starting points whose files are gone, and need not be there: the
// step holds every module that they gave. What a saved_step gave is known from the step's
// provenance.
std::vector<std::string> replaced_starting_points(const models::WeightFiles& weights,
                                                  const std::filesystem::path& step);

// The weights without these starting points.
models::WeightFiles without_starting_points(models::WeightFiles weights,
                                            const std::vector<std::string>& keys);

}  // namespace vllama::train
