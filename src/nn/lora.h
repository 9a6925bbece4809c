// Low-rank adaptation (Hu et al., arXiv 2106.09685): a small trained correction of a frozen matrix.
#pragma once

#include "nn/parameter.h"

namespace vllama::nn {

// (alpha / rank) B A x, to be added to W x, with A stored as [rank, inputs] and B as
// [outputs, rank].
struct LoraAdapter {
  std::int64_t inputs, outputs, rank;
  double scale;  // alpha / rank
  at::Tensor a_RI, b_OR;

  LoraAdapter(std::int64_t num_inputs, std::int64_t num_outputs, std::int64_t adapter_rank,
              double alpha);

  // "<prefix>.lora_A.weight", uniform up to 1 / sqrt(inputs), and "<prefix>.lora_B.weight", zeros,
  // as in peft: an adapter changes nothing until it has learned something.
  void declare(ParameterList& list, const std::string& prefix);

  // B A x, without the scale; values [R, inputs] -> [R, outputs], in the type of `values`.
  at::Tensor operator()(const at::Tensor& values) const;

  // W + (alpha / rank) B A, computed in fp32, in the type of weight_OI, without autograd history.
  at::Tensor merged_with(const at::Tensor& weight_OI) const;
};

}  // namespace vllama::nn
