// A decoded medium as the language model sees it.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace vllama::models {
class VideoLlama;
}
namespace vllama::samples {
struct BuiltMedium;
}

namespace vllama::inference {

// Embeddings, [num_tokens, H], fp32, that stand together in a prompt.
struct MediaBlocks {
  std::optional<at::Tensor> frames_QH = {};  // and the sound, where it stands among them
  std::optional<at::Tensor> sound_QH = {};
};

MediaBlocks media_blocks(const models::VideoLlama& model, const samples::BuiltMedium& medium);

}  // namespace vllama::inference
