// A decoded medium as the language model sees it.
#pragma once

#include "datasets/formats/data_config.h"
#include "eval/open_model.h"
#include "processors/example.h"

namespace vllama::eval {

// Its embeddings, [num_tokens, H], fp32.
at::Tensor media_embedding(const models::VideoLlama& model, const processors::MediaInput& input);

// For a MediaBuilder: how media are decoded.
datasets::DataConfig decoding_config(const MediaSettings& media);

}  // namespace vllama::eval
