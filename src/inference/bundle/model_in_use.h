// Weights as they are used, not trained: nothing has a gradient, adapters are merged.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <string>

#include "inference/open_model.h"

namespace vllama::inference {

// What the weights of a model are read from.
struct ModelFiles {
  models::ModelConfig model;  // its files first
  std::string trained = {};   // then what a run trained, as trainable.safetensors; none if empty
  std::uint64_t seed = 42;    // of parts that no file holds
};

// The configuration without the starting points of modules that `trained` replaces, which need not
// be there any more.
models::ModelConfig starting_points_needed(const ModelFiles& files);

// The model and its tokenizer. Throws UserError naming every file that is missing or does not fit.
OpenedModel load_model_in_use(const ModelFiles& files, at::Device device);

}  // namespace vllama::inference
