#include "nn/linear.h"

#include <ATen/ops/embedding.h>

#include "nn/linear_kernel.h"

namespace vllama::nn {

void Linear::declare(ParameterList& list, const std::string& prefix, Initial weight, Initial bias) {
  list.push_back({prefix + ".weight", {outputs, inputs}, &weight_OI, weight});
  if (biased) list.push_back({prefix + ".bias", {outputs}, &bias_O, bias});
}

at::Tensor Linear::operator()(const at::Tensor& values) const {
  return with_bias(values, biased ? std::optional(in_type_of(bias_O, values)) : std::nullopt);
}

at::Tensor Linear::with_bias(const at::Tensor& values,
                             const std::optional<at::Tensor>& bias) const {
  const at::Tensor product = linear_product(values, in_type_of(weight_OI, values), bias);
  return adapter ? product.add((*adapter)(values), adapter->scale) : product;
}

void Embedding::declare(ParameterList& list, const std::string& prefix, Initial initial) {
  list.push_back({prefix + ".weight", {rows, width}, &weight_RW, initial});
}

at::Tensor Embedding::operator()(const at::Tensor& ids_N) const {
  return at::embedding(weight_RW, ids_N);
}

}  // namespace vllama::nn
