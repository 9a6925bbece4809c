// What a model expects of its examples.
#pragma once

#include "datasets/examples/media_builder.h"
#include "models/model_config.h"

namespace vllama::eval {

datasets::ModelInput model_input(const models::ModelConfig& model);

}  // namespace vllama::eval
