// Rules that the settings of media must obey among themselves and towards the model.
#pragma once

#include <string>
#include <vector>

#include "samples/encoder_input.h"
#include "samples/media_config.h"

namespace vllama::samples {

// Those that are broken, every one with what to change: between the crops, inputs and frames of the
// data set `name`, the settings of sound, and the model.
std::vector<std::string> broken_media_rules(const std::string& name, const MediaConfig& config,
                                            const MediaSettings& settings, const ModelInput& model);

}  // namespace vllama::samples
