#include "tests/support/golden_tensors.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/tensors.h"

namespace vllama::test {

GoldenTensors::GoldenTensors(const std::filesystem::path& path)
    : source_(weights::open_weights(path)) {}

bool GoldenTensors::has(const std::string& name) const {
  const auto& tensors = source_->tensors();
  return std::any_of(tensors.begin(), tensors.end(),
                     [&](const weights::TensorFacts& facts) { return facts.name == name; });
}

at::Tensor GoldenTensors::operator[](const std::string& name) const {
  return source_->read(name).clone();
}

void GoldenTensors::fill(const nn::ParameterList& parameters, const std::string& prefix) const {
  for (const nn::Parameter& parameter : parameters) {
    *parameter.tensor = (*this)[prefix + parameter.name].to(at::kFloat).requires_grad_(true);
    INFO(parameter.name);
    REQUIRE(parameter.tensor->sizes() == at::IntArrayRef(parameter.shape));
  }
}

double GoldenTensors::largest_gradient(const nn::ParameterList& parameters,
                                       const std::string& prefix) const {
  double largest = 0;
  for (const nn::Parameter& parameter : parameters)
    if (has(prefix + parameter.name))
      largest = std::max(largest, (*this)[prefix + parameter.name].abs().max().item<double>());
  return largest;
}

int GoldenTensors::check_gradients(const nn::ParameterList& parameters,
                                   const std::string& prefix) const {
  const double floor = kGradientFloor * largest_gradient(parameters, prefix);
  int compared = 0;
  for (const nn::Parameter& parameter : parameters) {
    if (!has(prefix + parameter.name)) continue;
    ++compared;
    INFO(parameter.name);
    REQUIRE(parameter.tensor->grad().defined());
    const at::Tensor expected = (*this)[prefix + parameter.name];
    if (parameter.name.ends_with("key.bias")) {
      CHECK(parameter.tensor->grad().abs().max().item<double>() <= floor);
    } else {
      const double scale = expected.abs().max().item<double>();
      CHECK(absolute_difference(parameter.tensor->grad(), expected) <=
            kGradientTolerance * scale + floor);
    }
  }
  return compared;
}

}  // namespace vllama::test
