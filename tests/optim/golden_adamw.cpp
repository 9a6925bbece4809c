#include "tests/optim/golden_adamw.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "tests/support/fixtures.h"

namespace vllama::test {

nlohmann::json load_adamw_golden() {
  return nlohmann::json::parse(read_file(golden_file("optim/adamw.json")));
}

at::Tensor tensor_of(const nlohmann::json& values, const nlohmann::json& shape) {
  const auto numbers = values.get<std::vector<float>>();
  at::Tensor tensor = at::empty(shape.get<std::vector<std::int64_t>>(), at::kFloat);
  REQUIRE(tensor.numel() == static_cast<std::int64_t>(numbers.size()));
  std::copy(numbers.begin(), numbers.end(), tensor.mutable_data_ptr<float>());
  return tensor;
}

std::vector<optim::TrainedParameter> initial_parameters(const nlohmann::json& golden) {
  std::vector<optim::TrainedParameter> parameters;
  for (const auto& [name, shape] : golden.at("shapes").items())
    parameters.push_back({name, tensor_of(golden.at("initial").at(name), shape),
                          optim::decays(name, static_cast<std::int64_t>(shape.size()))});
  return parameters;
}

void set_gradients(const optim::FlatParameters& parameters, const nlohmann::json& gradients) {
  for (const auto& [name, view] : parameters.named_gradients())
    view.copy_(tensor_of(gradients.at(name), view.sizes().vec()));
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  REQUIRE(a.sizes() == b.sizes());
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace vllama::test
