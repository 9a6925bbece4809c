// What a frozen encoder made of media that it has seen, for when the same ones come again: small
// data sets are passed over many times, and without random crops a clip is the same every time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "samples/media_extent.h"

namespace vllama::encoders {

class FeatureMemory {
 public:
  // Bounds what is kept; once it is full nothing more is added. 0: nothing is kept.
  explicit FeatureMemory(std::int64_t most_bytes) : most_bytes_(most_bytes) {}

  using Media = std::vector<samples::MediaExtent>;
  // Features of the inputs of media end to end, without autograd history: [S, D] of [N, ...].
  using Encode = std::function<at::Tensor(const at::Tensor& inputs, const Media& media)>;

  // encode(inputs, media), where the inputs of a medium that is known by its bytes (by 64 bits of a
  // hash) are not encoded again. Every other medium is encoded alone: what is made of it does not
  // depend on its company, so that it is the same to the bit in a run that was resumed and has to
  // make it anew. Without memory, all are encoded together.
  at::Tensor operator()(const at::Tensor& inputs, const Media& media, const Encode& encode);

  std::int64_t num_bytes() const { return num_bytes_; }

 private:
  at::Tensor features_of(const at::Tensor& inputs, const samples::MediaExtent& extent,
                         const Encode& encode);

  std::int64_t most_bytes_;
  std::int64_t num_bytes_ = 0;
  std::unordered_map<std::size_t, at::Tensor> features_;  // by the hash of the medium
};

}  // namespace vllama::encoders
