// What a frozen encoder made of inputs that it has seen, for when the same ones come again: small
// data sets are passed over many times, and without random crops a frame is the same every time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <unordered_map>

namespace vllama::models {

class FeatureMemory {
 public:
  // Bounds what is kept; once it is full nothing more is added. 0: nothing is kept.
  explicit FeatureMemory(std::int64_t most_bytes) : most_bytes_(most_bytes) {}

  // Features of each input, without autograd history: [N * R, D] of inputs [N, ...], R rows each.
  using Encode = std::function<at::Tensor(const at::Tensor& inputs)>;

  // encode(inputs), which is called with the inputs that are not known by their bytes. Inputs are
  // told apart by 64 bits of a hash. The result is encode's to the bit if that gives an input the
  // same features in any company, as the encoders do on a CPU with one thread.
  at::Tensor operator()(const at::Tensor& inputs, const Encode& encode);

  std::int64_t num_bytes() const { return num_bytes_; }

 private:
  std::int64_t most_bytes_;
  std::int64_t num_bytes_ = 0;
  std::unordered_map<std::size_t, at::Tensor> features_;  // [R, D] by the hash of the input
};

}  // namespace vllama::models
