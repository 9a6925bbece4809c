// One training sample as tensors: frames at the model's size, and its text as tokens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace vllama::processors {

// F frames of S x S pixels; an image is a clip of one frame.
struct Example {
  std::string id;
  at::Tensor frames_FHWC;  // uint8 [F, S, S, 3], RGB; the model normalises
  // The prompt, with the tokenizer's image token where embeddings of the frames go, and the same
  // number of labels: the token itself where it is to be learned, else text::kIgnoredLabel.
  std::vector<std::int64_t> token_ids, labels;
  std::uint64_t dropout_key = 0;          // names the sample's dropout masks
  bool text_shortened = false;            // text was left out to meet a length limit
  std::int64_t num_concealed_frames = 0;  // stand in for frames that did not decode
};

}  // namespace vllama::processors
