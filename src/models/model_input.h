// What a model expects of its examples.
#pragma once

#include <span>

#include "models/branch.h"
#include "models/model_config.h"
#include "samples/encoder_input.h"

namespace vllama::models {

// The encoders of all branches, numbered through in their order.
samples::ModelInput model_input(std::span<const Branch> branches);

// Of the model that `config` describes, whose language model does not matter for it.
samples::ModelInput model_input(const ModelConfig& config);

}  // namespace vllama::models
