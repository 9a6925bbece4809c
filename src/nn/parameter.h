// What a module says about each of its tensors: its name in the published files, shape, and initial
// value.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace vllama::nn {

// How a tensor starts when no file supplies it.
struct Initial {
  enum class Kind { constant, normal, uniform } kind;
  double scale;  // the constant, the deviation of normal, the bound of uniform
};

inline constexpr Initial constant(double value) {
  return {Initial::Kind::constant, value};
}
inline constexpr Initial kZeros = constant(0);
inline constexpr Initial kOnes = constant(1);
inline constexpr Initial normal(double deviation) {
  return {Initial::Kind::normal, deviation};
}
inline constexpr Initial uniform(double bound) {
  return {Initial::Kind::uniform, bound};
}
// The outputs of a layer are as large as its inputs.
Initial normal_by_fan_in(std::int64_t num_inputs);
// What torch.nn.Linear starts with.
Initial uniform_by_fan_in(std::int64_t num_inputs);

struct Parameter {
  std::string name;
  std::vector<std::int64_t> shape;
  at::Tensor* tensor;  // owned by the module
  Initial initial;

  std::int64_t num_elements() const;
};

// Modules append their tensors in the order of the published checkpoints.
using ParameterList = std::vector<Parameter>;

// The values that a parameter starts with, fp32 on the CPU, from a stream named by (seed, its own
// name).
at::Tensor initial_values(const Parameter& parameter, std::uint64_t seed);

// Fills every tensor of the list, fp32 on the CPU, with its initial values: the same ones whatever
// else is in the list.
void initialize(const ParameterList& parameters, std::uint64_t seed);

// The number of elements of all tensors in the list.
std::int64_t num_elements(const ParameterList& parameters);

// A parameter in the type that `values` compute in. Frozen parameters are held in it and come back
// as they are; those that train are fp32 and are converted, which autograd follows.
inline at::Tensor in_type_of(const at::Tensor& parameter, const at::Tensor& values) {
  const at::ScalarType type = values.scalar_type();
  return parameter.scalar_type() == type ? parameter : parameter.to(type);
}

}  // namespace vllama::nn
