// The matrix product of a linear layer, by the fastest kernel there is for its operands.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace vllama::nn {

// values_RI [R, I] times the transpose of weight_OI [O, I], plus bias_O if there is one ->
// [R, O], with autograd. As at::linear, but fp32 on the CPU goes to oneDNN: on AMD processors the
// MKL inside libtorch does not use the widest vectors (Zen 5: 2.2 times as long).
at::Tensor linear_product(const at::Tensor& values_RI, const at::Tensor& weight_OI,
                          const std::optional<at::Tensor>& bias_O = {});

}  // namespace vllama::nn
