// Comparing tensors in tests, with tolerances that say what they are relative to.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vllama::test {

// Limits for fp32 code that may reorder sums and fuse attention, against recorded values: outputs
// relative to the largest expected value; gradients relative to the largest of their own tensor
// plus a share of the largest gradient of the whole file. (The recordings' own scatter is a tenth
// of these.)
inline constexpr double kOutputTolerance = 1e-4;
inline constexpr double kGradientTolerance = 5e-4;
inline constexpr double kGradientFloor = 1e-6;
inline constexpr double kLossTolerance = 2e-5;

// bf16 numbers have 8 significant bits: rounding to them changes a number by up to 2^-9 of itself.
// Roundings along a network are independent, so their root mean squares add up as squares, and
// where norms keep the size of what passes through, `num_roundings` of them stay below this.
double bf16_tolerance(std::int64_t num_roundings);

// Standard-normal numbers that depend on the seed only.
at::Tensor random_tensor(at::IntArrayRef shape, std::uint64_t seed);

// max |actual - expected| / max |expected|, infinite when shapes differ or a number is not finite.
double relative_difference(const at::Tensor& actual, const at::Tensor& expected);

// max |actual - expected|, infinite when shapes differ or a number is not finite.
double absolute_difference(const at::Tensor& actual, const at::Tensor& expected);

// The root mean square of actual - expected, divided by that of expected; infinite when shapes
// differ or a number is not finite.
double relative_rms_difference(const at::Tensor& actual, const at::Tensor& expected);

// Same shape, type and bits.
bool same_bits(const at::Tensor& a, const at::Tensor& b);

}  // namespace vllama::test
