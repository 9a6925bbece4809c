// Steps of torch.optim.AdamW on small tensors, written by tools/reference/adamw.py.
#pragma once

#include <ATen/core/Tensor.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "optim/flat_parameters.h"

namespace vllama::test {

nlohmann::json load_adamw_golden();

// An fp32 tensor of the given shape; the number of values must fit.
at::Tensor tensor_of(const nlohmann::json& values, const nlohmann::json& shape);

// The golden's parameters with their initial values, in its order, decaying by the published rule.
std::vector<optim::TrainedParameter> initial_parameters(const nlohmann::json& golden);

// Writes gradients by name into the flat gradients.
void set_gradients(const optim::FlatParameters& parameters, const nlohmann::json& gradients);

// The largest |a - b|, in fp64. Shapes must agree.
double largest_difference(const at::Tensor& a, const at::Tensor& b);

}  // namespace vllama::test
