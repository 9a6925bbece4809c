// The language model of a run with adapters, as others read it.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "models/model_config.h"

namespace vllama::train {

// Whether a tensor of a saved step is of an adapter of the language model, not of an encoder.
bool is_of_language_adapter(const std::string& name);

// Adapters alone, as peft reads them: adapter_model.safetensors and adapter_config.json in a new
// folder. `trained` may hold more than adapters.
void write_adapters(const std::filesystem::path& folder,
                    const std::vector<std::pair<std::string, at::Tensor>>& trained,
                    const models::ModelConfig& model);

// The whole language model in the type of its files with every adapter added into its matrix, in
// shards, with config.json, tokenizer.model and the other small files of the folder. One matrix is
// in memory at a time.
void write_merged(const std::filesystem::path& folder,
                  const std::vector<std::pair<std::string, at::Tensor>>& trained,
                  const models::ModelConfig& model);

}  // namespace vllama::train
