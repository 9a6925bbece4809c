// A linear layer and an embedding table, as tensors with a shape and a name.
#pragma once

#include <optional>

#include "nn/lora.h"
#include "nn/parameter.h"

namespace vllama::nn {

// y = x W^T + b, with W stored as [outputs, inputs], and what the adapter adds, if there is one.
struct Linear {
  std::int64_t inputs = 0, outputs = 0;
  bool biased = true;
  at::Tensor weight_OI, bias_O;
  std::optional<LoraAdapter> adapter;

  Linear() = default;
  Linear(std::int64_t num_inputs, std::int64_t num_outputs, bool has_bias = true)
      : inputs(num_inputs), outputs(num_outputs), biased(has_bias) {}

  // `weight` tells how the matrix starts; the bias starts at `bias`. The adapter declares itself.
  void declare(ParameterList& list, const std::string& prefix, Initial weight = normal(0.02),
               Initial bias = kZeros);
  // Computes in the type of `values`.
  at::Tensor operator()(const at::Tensor& values) const;
  // The same with a bias of another make, in that type.
  at::Tensor with_bias(const at::Tensor& values, const std::optional<at::Tensor>& bias) const;
};

// A table of `rows` vectors.
struct Embedding {
  std::int64_t rows = 0, width = 0;
  at::Tensor weight_RW;

  Embedding() = default;
  Embedding(std::int64_t num_rows, std::int64_t row_width) : rows(num_rows), width(row_width) {}

  void declare(ParameterList& list, const std::string& prefix, Initial initial);
  // ids_N int64 -> [N, width], in the table's type
  at::Tensor operator()(const at::Tensor& ids_N) const;
};

}  // namespace vllama::nn
