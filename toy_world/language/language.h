// The toy language model: learns from texts alone to answer questions about what a description in
// words says.
#pragma once

#include <cstdint>
#include <filesystem>

#include "models/random_weights.h"

namespace vllama::toy {

struct LanguageTraining {
  models::LanguageSizes sizes;
  std::uint64_t seed = 1;
  double length = 1;  // of every phase, against the usual one
};

// Trains and writes the folder `llama` below `folder`: config.json, weights (fp16) and
// tokenizer.model, in the layout of a Hugging Face LLaMA. Progress goes to the log. Throws
// UserError if that folder holds a model already.
void train_language_model(const LanguageTraining& training, const std::filesystem::path& folder);

}  // namespace vllama::toy
