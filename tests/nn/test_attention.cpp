#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "nn/attention.h"
#include "nn/recompute.h"
#include "tests/support/tensors.h"

using namespace vllama;
using nn::Segments;

namespace {

constexpr double kRounding = 2e-6;

// One sequence, one head after the other, straight from the formula, in fp64.
at::Tensor attend_by_formula(const at::Tensor& q_LHD, const at::Tensor& k_SGD,
                             const at::Tensor& v_SGD, bool causal) {
  const std::int64_t heads = q_LHD.size(1), group = heads / k_SGD.size(1);
  at::Tensor result = q_LHD.to(at::kDouble).clone();
  for (std::int64_t h = 0; h < heads; ++h) {
    const at::Tensor k = k_SGD.select(1, h / group).to(at::kDouble);
    const at::Tensor v = v_SGD.select(1, h / group).to(at::kDouble);
    for (std::int64_t row = 0; row < q_LHD.size(0); ++row) {
      const std::int64_t seen = causal ? row + 1 : k.size(0);
      const at::Tensor q = q_LHD[row][h].to(at::kDouble);
      const at::Tensor scores =
          at::matmul(k.narrow(0, 0, seen), q).div(std::sqrt(static_cast<double>(q.size(0))));
      result[row][h].copy_(at::matmul(at::softmax(scores, 0), v.narrow(0, 0, seen)));
    }
  }
  return result;
}

}  // namespace

TEST_CASE("packed attention equals the formula, sequence by sequence") {
  for (const bool causal : {false, true}) {
    for (const std::int64_t key_heads : {4, 2, 1}) {
      const Segments sequences({3, 1, 5});
      const auto q = test::random_tensor({9, 4, 8}, 1),
                 k = test::random_tensor({9, key_heads, 8}, 2),
                 v = test::random_tensor({9, key_heads, 8}, 3);
      const at::Tensor packed = nn::attention(q, k, v, sequences, sequences, causal);
      for (std::int64_t i = 0; i < sequences.count(); ++i) {
        const auto rows = [&](const at::Tensor& all) {
          return all.narrow(0, sequences.start(i), sequences.length(i));
        };
        CHECK(test::relative_difference(
                  rows(packed), attend_by_formula(rows(q), rows(k), rows(v), causal)) < kRounding);
      }
    }
  }
}

TEST_CASE("sequences of equal length give the same as sequences of any length") {
  const auto q = test::random_tensor({8, 2, 4}, 4), k = test::random_tensor({12, 2, 4}, 5),
             v = test::random_tensor({12, 2, 4}, 6);
  const at::Tensor together =
      nn::attention(q, k, v, Segments({4, 4}), Segments({6, 6}), /*causal=*/false);
  const at::Tensor first = nn::attention(q.narrow(0, 0, 4), k.narrow(0, 0, 6), v.narrow(0, 0, 6),
                                         Segments({4}), Segments({6}), /*causal=*/false);
  CHECK(test::relative_difference(together.narrow(0, 0, 4), first) < kRounding);
}

TEST_CASE("dropout at rate zero leaves attention as it is") {
  const auto q = test::random_tensor({4, 2, 4}, 7), k = test::random_tensor({9, 2, 4}, 8),
             v = test::random_tensor({9, 2, 4}, 9);
  const Segments queries({2, 2}), keys({3, 6});
  CHECK(test::relative_difference(nn::attention_with_dropout(q, k, v, queries, keys, {}),
                                  nn::attention(q, k, v, queries, keys, false)) < kRounding);
}

TEST_CASE("the mask on attention probabilities does not depend on the other samples") {
  const auto q = test::random_tensor({4, 2, 4}, 7), k = test::random_tensor({9, 2, 4}, 8),
             v = test::random_tensor({9, 2, 4}, 9);
  nn::Dropout both(0.3, std::vector<std::uint64_t>{11, 12}, at::kCPU),
      second(0.3, std::vector<std::uint64_t>{12}, at::kCPU);
  both.next_site();
  second.next_site();
  const at::Tensor together =
      nn::attention_with_dropout(q, k, v, Segments({2, 2}), Segments({3, 6}), both);
  const at::Tensor alone =
      nn::attention_with_dropout(q.narrow(0, 2, 2), k.narrow(0, 3, 6), v.narrow(0, 3, 6),
                                 Segments({2}), Segments({6}), second);
  CHECK(test::same_bits(together.narrow(0, 2, 2), alone));
}

TEST_CASE("recomputed activations give the same values and gradients as stored ones") {
  const at::Tensor weight = test::random_tensor({6, 6}, 1).requires_grad_(true);
  const at::Tensor input = test::random_tensor({3, 6}, 2).requires_grad_(true);
  const auto layer = [&](const at::Tensor& x) { return at::matmul(x, weight).tanh(); };
  layer(layer(input)).sum().backward();
  const at::Tensor weight_gradient = weight.grad().clone(), input_gradient = input.grad().clone();
  weight.mutable_grad().reset();
  input.mutable_grad().reset();
  const at::Tensor output =
      nn::recompute_in_backward(layer, nn::recompute_in_backward(layer, input));
  CHECK(test::same_bits(output.detach(), layer(layer(input)).detach()));
  output.sum().backward();
  CHECK(test::same_bits(weight.grad(), weight_gradient));
  CHECK(test::same_bits(input.grad(), input_gradient));
}
