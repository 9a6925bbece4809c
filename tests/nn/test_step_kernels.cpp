// The operations of a generation step, for each kind of vector registers, against plain ones.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <catch2/catch.hpp>

#include "nn/cached_attention.h"
#include "nn/step_kernels.h"
#include "nn/step_lanes.h"
#include "tests/support/tensors.h"

using namespace vllama;

namespace {

// Sums of up to a few thousand fp32 products, in another order.
constexpr double kSumTolerance = 1e-5;

double tolerance(at::ScalarType dtype) {
  return dtype == at::kFloat ? kSumTolerance : test::bf16_tolerance(8);
}

std::vector<const nn::StepLanes*> lanes_of_this_processor() {
  std::vector<const nn::StepLanes*> kinds{&nn::kPlainStepLanes};
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    kinds.push_back(&nn::kAvx2StepLanes);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl"))
    kinds.push_back(&nn::kAvx512StepLanes);
#endif
  return kinds;
}

}  // namespace

TEST_CASE("loops of every kind of registers: products of any size") {
  for (const nn::StepLanes* lanes : lanes_of_this_processor()) {
    for (const std::int64_t inputs : {1, 15, 16, 33, 640}) {
      for (const std::int64_t rows : {1, 2, 3, 4, 5, 9}) {
        const at::Tensor values = test::random_tensor({rows, inputs}, 1);
        const at::Tensor weight = test::random_tensor({21, inputs}, 2);
        const at::Tensor expected = at::linear(values, weight);
        const at::Tensor actual = at::zeros_like(expected);
        lanes->products(values.const_data_ptr<float>(), rows, inputs,
                        weight.const_data_ptr<float>(), 0, 21, actual.mutable_data_ptr<float>(),
                        21);
        CHECK(test::relative_difference(actual, expected) < kSumTolerance);
      }
    }
  }
}

TEST_CASE("loops of every kind of registers: silu, far beyond where it overflows") {
  at::Tensor gate = 4 * test::random_tensor({1001}, 1);
  gate[0] = -500;
  gate[1] = 500;
  gate[2] = 0;
  const at::Tensor up = test::random_tensor({1001}, 2);
  for (const nn::StepLanes* lanes : lanes_of_this_processor()) {
    const at::Tensor actual = at::zeros_like(up);
    lanes->gated_silu(gate.const_data_ptr<float>(), up.const_data_ptr<float>(), 1001,
                      actual.mutable_data_ptr<float>());
    CHECK(test::relative_difference(actual, at::silu(gate) * up) < 1e-6);
  }
}

TEST_CASE("products of a step: several matrices side by side, each row as if alone") {
  const at::ScalarType dtype = GENERATE(at::kFloat, at::kBFloat16);
  const at::Tensor values = test::random_tensor({9, 200}, 1).to(dtype);
  const at::Tensor a = test::random_tensor({301, 200}, 2).to(dtype),
                   b = test::random_tensor({77, 200}, 3).to(dtype);
  const at::Tensor both = nn::step_products(values, {a, b});
  CHECK(both.scalar_type() == dtype);
  CHECK(test::relative_rms_difference(
            both.to(at::kFloat),
            at::linear(values.to(at::kFloat), at::cat({a, b}).to(at::kFloat))) < tolerance(dtype));
  for (std::int64_t row = 0; row < 9; ++row)
    CHECK(test::same_bits(nn::step_products(values.narrow(0, row, 1), {a, b}),
                          both.narrow(0, row, 1)));
  CHECK(test::same_bits(nn::step_products(values.narrow(0, 2, 6), {a, b}), both.narrow(0, 2, 6)));
}

TEST_CASE("attention of a step as of any new tokens, and what it leaves in the cache") {
  const at::ScalarType dtype = GENERATE(at::kFloat, at::kBFloat16);
  constexpr std::int64_t kSlots = 4, kCapacity = 70, kHeads = 6, kKeyHeads = 2, kWidth = 32;
  const auto random = [&](at::IntArrayRef shape, std::uint64_t seed) {
    return test::random_tensor(shape, seed).to(dtype);
  };
  const nn::LayerCache cache{random({kSlots, kCapacity, kKeyHeads, kWidth}, 1),
                             random({kSlots, kCapacity, kKeyHeads, kWidth}, 2)};
  const nn::LayerCache plain{cache.keys_BSGK.clone(), cache.values_BSGK.clone()};
  const nn::NewTokens tokens{nn::Segments::equal(3, 1), {3, 0, 2}, {69, 0, 17}};
  const at::Tensor heads = random({3, (kHeads + 2 * kKeyHeads) * kWidth}, 3);
  const nn::RotaryEmbedding rotary(kWidth, kCapacity, 10000, {}, dtype, at::kCPU);
  const auto angles = rotary.at_positions(at::tensor(tokens.positions(), at::kLong));

  const at::Tensor heads_RHK = heads.view({3, -1, kWidth});
  const auto rotated = [&](std::int64_t first, std::int64_t count) {
    return nn::RotaryEmbedding::rotate(heads_RHK.narrow(1, first, count), angles);
  };
  const at::Tensor expected =
      nn::cached_attention(rotated(0, kHeads), rotated(kHeads, kKeyHeads),
                           heads_RHK.narrow(1, kHeads + kKeyHeads, kKeyHeads), tokens, plain);
  const at::Tensor actual = nn::step_attention(heads, angles, tokens, cache);
  CHECK(actual.scalar_type() == dtype);
  CHECK(test::relative_rms_difference(actual, expected.flatten(1)) < tolerance(dtype));
  CHECK(test::relative_rms_difference(cache.keys_BSGK, plain.keys_BSGK) < tolerance(dtype));
  CHECK(test::same_bits(cache.values_BSGK, plain.values_BSGK));
}
