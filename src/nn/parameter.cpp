#include "nn/parameter.h"

#include <ATen/ops/empty.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "core/hash.h"
#include "core/random.h"

namespace vllama::nn {
namespace {

void fill(at::Tensor& tensor, Initial initial, RandomStream stream) {
  float* values = tensor.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    switch (initial.kind) {
      case Initial::Kind::constant:
        values[i] = static_cast<float>(initial.scale);
        break;
      case Initial::Kind::normal:
        values[i] = static_cast<float>(initial.scale * stream.normal());
        break;
      case Initial::Kind::uniform:
        values[i] = static_cast<float>(stream.uniform(-initial.scale, initial.scale));
        break;
    }
  }
}

}  // namespace

Initial normal_by_fan_in(std::int64_t num_inputs) {
  return normal(1.0 / std::sqrt(static_cast<double>(num_inputs)));
}

Initial uniform_by_fan_in(std::int64_t num_inputs) {
  return uniform(1.0 / std::sqrt(static_cast<double>(num_inputs)));
}

std::int64_t Parameter::num_elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

at::Tensor initial_values(const Parameter& parameter, std::uint64_t seed) {
  at::Tensor values = at::empty(parameter.shape, at::kFloat);
  const auto purpose = static_cast<std::uint64_t>(RandomPurpose::initial_weights);
  fill(values, parameter.initial, RandomStream(random_key({seed, purpose, fnv1a(parameter.name)})));
  return values;
}

void initialize(const ParameterList& parameters, std::uint64_t seed) {
  for (const Parameter& parameter : parameters) *parameter.tensor = initial_values(parameter, seed);
}

std::int64_t num_elements(const ParameterList& parameters) {
  std::int64_t sum = 0;
  for (const Parameter& parameter : parameters) sum += parameter.num_elements();
  return sum;
}

}  // namespace vllama::nn
