// A decoded medium as the language model sees it.
#pragma once

#include "inference/open_model.h"
#include "samples/example.h"

namespace vllama::inference {

// Its embeddings, [num_tokens, H], fp32.
at::Tensor media_embedding(const models::VideoLlama& model, const samples::MediaInput& input);

}  // namespace vllama::inference
