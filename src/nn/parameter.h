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
  enum class Kind { zeros, ones, normal, uniform } kind;
  double scale = 0;  // the deviation of normal, the bound of uniform
};

inline constexpr Initial kZeros{Initial::Kind::zeros};
inline constexpr Initial kOnes{Initial::Kind::ones};
inline constexpr Initial normal(double deviation) {
  return {Initial::Kind::normal, deviation};
}
inline constexpr Initial uniform(double bound) {
  return {Initial::Kind::uniform, bound};
}

struct Parameter {
  std::string name;
  std::vector<std::int64_t> shape;
  at::Tensor* tensor;  // owned by the module
  Initial initial;

  std::int64_t num_elements() const;
};

// Modules append their tensors in the order of the published checkpoints.
using ParameterList = std::vector<Parameter>;

// Fills every tensor of the list, fp32 on the CPU, each from a stream named by (seed, its own
// name): the same values whatever else is in the list.
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
