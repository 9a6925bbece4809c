// The base weights of a model, file by file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/model_config.h"

namespace vllama::train {

struct BaseFile {
  std::string key;                 // below model.weights
  std::filesystem::path original;  // where it lies
  std::filesystem::path place;     // in a bundle, relative: "weights/language_model/config.json"
  bool holds_weights = true;       // false for config.json and the tokenizer
};

// Of every part that the model has; of the language model config.json, tokenizer.model and the
// files that its weights lie in. Throws UserError naming each that is missing or no weight file.
std::vector<BaseFile> base_files(const models::ModelConfig& config);

// The paths of `config` as they are once every file lies in its place; no starting points.
models::ModelConfig with_places(models::ModelConfig config);

}  // namespace vllama::train
