#include "tests/support/tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/norm.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/random.h"

namespace vllama::test {

at::Tensor random_tensor(at::IntArrayRef shape, std::uint64_t seed) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  RandomStream stream(seed);
  for (std::int64_t i = 0; i < tensor.numel(); ++i)
    tensor.mutable_data_ptr<float>()[i] = static_cast<float>(stream.normal());
  return tensor;
}

double absolute_difference(const at::Tensor& actual, const at::Tensor& expected) {
  if (actual.sizes() != expected.sizes() || !at::isfinite(actual).all().item<bool>())
    return std::numeric_limits<double>::infinity();
  if (actual.numel() == 0) return 0;
  return (actual.to(at::kDouble) - expected.to(at::kDouble)).abs().max().item<double>();
}

double relative_difference(const at::Tensor& actual, const at::Tensor& expected) {
  const double difference = absolute_difference(actual, expected);
  if (difference == 0) return 0;
  return difference / std::max(expected.abs().max().to(at::kDouble).item<double>(),
                               std::numeric_limits<double>::min());
}

double bf16_tolerance(std::int64_t num_roundings) {
  return 0x1p-9 * std::sqrt(static_cast<double>(num_roundings));
}

double relative_rms_difference(const at::Tensor& actual, const at::Tensor& expected) {
  if (actual.sizes() != expected.sizes() || !at::isfinite(actual).all().item<bool>())
    return std::numeric_limits<double>::infinity();
  const at::Tensor difference = actual.to(at::kDouble) - expected.to(at::kDouble);
  return difference.norm().item<double>() / expected.to(at::kDouble).norm().item<double>();
}

bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == b.scalar_type() && at::equal(a, b);
}

}  // namespace vllama::test
