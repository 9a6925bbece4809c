#include "nn/lora.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/matmul.h>

#include <cmath>

#include "nn/linear_kernel.h"

namespace vllama::nn {

LoraAdapter::LoraAdapter(std::int64_t num_inputs, std::int64_t num_outputs,
                         std::int64_t adapter_rank, double alpha)
    : inputs(num_inputs),
      outputs(num_outputs),
      rank(adapter_rank),
      scale(alpha / static_cast<double>(adapter_rank)) {}

void LoraAdapter::declare(ParameterList& list, const std::string& prefix) {
  const Initial fan_in = uniform(1.0 / std::sqrt(static_cast<double>(inputs)));
  list.push_back({prefix + ".lora_A.weight", {rank, inputs}, &a_RI, fan_in});
  list.push_back({prefix + ".lora_B.weight", {outputs, rank}, &b_OR, kZeros});
}

at::Tensor LoraAdapter::operator()(const at::Tensor& values) const {
  return linear_product(linear_product(values, in_type_of(a_RI, values)), in_type_of(b_OR, values));
}

at::Tensor LoraAdapter::merged_with(const at::Tensor& weight_OI) const {
  const at::AutoGradMode no_graph(false);
  const at::Tensor correction_OI = at::matmul(b_OR, a_RI);
  return weight_OI.to(at::kFloat).add(correction_OI, scale).to(weight_OI.scalar_type());
}

}  // namespace vllama::nn
