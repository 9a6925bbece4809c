// Rotary position embedding (arXiv 2104.09864) in the half-rotation order of the Hugging Face
// files.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vllama::nn {

// How frequencies are changed for contexts longer than those of pre-training.
struct RotaryScaling {
  enum class Kind { none, linear, llama3 } kind = Kind::none;
  double factor = 1;
  // llama3 only: wavelengths shorter than original / high keep their frequency, those longer than
  // original / low are slowed by `factor`, those between are interpolated.
  double low_frequency_factor = 1, high_frequency_factor = 4;
  std::int64_t original_positions = 8192;

  bool operator==(const RotaryScaling&) const = default;
};

class RotaryEmbedding {
 public:
  RotaryEmbedding() = default;
  // Tables for positions [0, num_positions) and heads of `head_width` (even), computed in fp32 as
  // cos and sin of p * base^(-2i / head_width).
  RotaryEmbedding(std::int64_t head_width, std::int64_t num_positions, double base,
                  const RotaryScaling& scaling, at::ScalarType dtype, at::Device device);

  std::int64_t num_positions() const { return cos_PD_.size(0); }

  struct Angles {
    at::Tensor cos_T1D, sin_T1D;
  };
  // The rows of the tables at positions_T (int64).
  Angles at_positions(const at::Tensor& positions_T) const;

  // Rotates heads_THD; the pair (i, i + D/2) turns by the i-th angle of its row.
  static at::Tensor rotate(const at::Tensor& heads_THD, const Angles& angles);

 private:
  at::Tensor cos_PD_, sin_PD_;
};

}  // namespace vllama::nn
