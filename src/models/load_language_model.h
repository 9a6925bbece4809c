// Reads a language model from a Hugging Face folder.
#pragma once

#include "language/llama.h"
#include "models/weight_reading.h"

namespace vllama::models {

// All tensors of `model`, from `folder`. With tied embeddings a stored output matrix is left out,
// as transformers does, with a warning if it is another one; where it alone is stored, it is the
// table. What is refused before names are compared, in one line each: sizes in config.json that the
// weights do not have, and weights that are a difference to another model.
WeightReading language_model_reading(language::Llama& model, const std::string& folder,
                                     weights::LoadRules rules);

}  // namespace vllama::models
