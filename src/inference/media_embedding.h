// A decoded medium as the language model sees it.
#pragma once

#include <ATen/core/Tensor.h>

namespace vllama::models {
class VideoLlama;
}
namespace vllama::samples {
struct MediaInput;
}

namespace vllama::inference {

// Its embeddings, [num_tokens, H], fp32.
at::Tensor media_embedding(const models::VideoLlama& model, const samples::MediaInput& input);

}  // namespace vllama::inference
