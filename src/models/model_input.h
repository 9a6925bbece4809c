// What a model expects of its examples.
#pragma once

#include "models/model_config.h"
#include "samples/model_input.h"

namespace vllama::models {

samples::ModelInput model_input(const models::ModelConfig& model);

}  // namespace vllama::models
