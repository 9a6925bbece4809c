// Rules that the settings of media must obey among themselves and towards the model.
#pragma once

#include <string>
#include <vector>

#include "datasets/examples/media_builder.h"

namespace vllama::datasets {

// Those that are broken, every one with what to change: between the crops, inputs and frames of a
// data set, the settings of sound, and the model.
std::vector<std::string> broken_media_rules(const DatasetConfig& set, const DataConfig& data,
                                            const ModelInput& model);

}  // namespace vllama::datasets
