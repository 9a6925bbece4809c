// The two normalisations: LayerNorm (encoders, Q-Formers) and RMSNorm (LLaMA).
#pragma once

#include "nn/parameter.h"

namespace vllama::nn {

// Over the last dimension, biased variance, with weight and bias; sums in fp32 for any input type.
struct LayerNorm {
  std::int64_t width = 0;
  double epsilon = 1e-5;
  at::Tensor weight_W, bias_W;

  LayerNorm() = default;
  LayerNorm(std::int64_t norm_width, double norm_epsilon)
      : width(norm_width), epsilon(norm_epsilon) {}

  void declare(ParameterList& list, const std::string& prefix);
  at::Tensor operator()(const at::Tensor& values) const;
};

// y = w * x / sqrt(mean(x^2) + epsilon), the mean in fp32 (arXiv 1910.07467).
struct RmsNorm {
  std::int64_t width = 0;
  double epsilon = 1e-6;
  at::Tensor weight_W;

  RmsNorm() = default;
  RmsNorm(std::int64_t norm_width, double norm_epsilon)
      : width(norm_width), epsilon(norm_epsilon) {}

  void declare(ParameterList& list, const std::string& prefix);
  at::Tensor operator()(const at::Tensor& values) const;
};

}  // namespace vllama::nn
