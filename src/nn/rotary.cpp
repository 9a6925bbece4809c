#include "nn/rotary.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vllama::nn {
namespace {

at::Tensor frequencies(std::int64_t head_width, double base, const RotaryScaling& scaling) {
  const at::Tensor exponents =
      at::arange(0, head_width, 2, at::kFloat).div(static_cast<double>(head_width));
  at::Tensor result = at::pow(base, exponents).reciprocal();
  if (scaling.kind == RotaryScaling::Kind::linear) return result / scaling.factor;
  if (scaling.kind == RotaryScaling::Kind::none) return result;
  const auto original = static_cast<double>(scaling.original_positions);
  float* values = result.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < result.numel(); ++i) {
    const double turns = original * values[i] / (2 * std::numbers::pi);
    const double kept =
        std::clamp((turns - scaling.low_frequency_factor) /
                       (scaling.high_frequency_factor - scaling.low_frequency_factor),
                   0.0, 1.0);
    values[i] = static_cast<float>(values[i] * (kept + (1 - kept) / scaling.factor));
  }
  return result;
}

}  // namespace

RotaryEmbedding::RotaryEmbedding(std::int64_t head_width, std::int64_t num_positions, double base,
                                 const RotaryScaling& scaling, at::ScalarType dtype,
                                 at::Device device) {
  const at::Tensor angles_PF =
      at::outer(at::arange(num_positions, at::kFloat), frequencies(head_width, base, scaling));
  cos_PD_ = angles_PF.cos().to(device, dtype);
  sin_PD_ = angles_PF.sin().to(device, dtype);
}

RotaryEmbedding::Angles RotaryEmbedding::at_positions(const at::Tensor& positions_T) const {
  return {cos_PD_.index_select(0, positions_T).unsqueeze(1),
          sin_PD_.index_select(0, positions_T).unsqueeze(1)};
}

at::Tensor RotaryEmbedding::rotate(const at::Tensor& heads_THD, const Angles& angles) {
  const std::int64_t half = heads_THD.size(2) / 2;
  const at::Tensor first = heads_THD.narrow(2, 0, half);
  const at::Tensor second = heads_THD.narrow(2, half, half);
  return at::cat({first * angles.cos_T1D - second * angles.sin_T1D,
                  second * angles.cos_T1D + first * angles.sin_T1D},
                 2);
}

}  // namespace vllama::nn
