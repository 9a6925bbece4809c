#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <catch2/catch.hpp>

#include "nn/linear_kernel.h"
#include "nn/recompute.h"
#include "tests/support/tensors.h"

using namespace vllama;

namespace {

// Two layers behind each other; returns the gradients of the input and of both matrices.
std::vector<at::Tensor> gradients(bool recompute, bool input_trains, bool weights_train) {
  const at::Tensor input = test::random_tensor({5, 8}, 1).requires_grad_(input_trains);
  std::vector<at::Tensor> weights;
  at::Tensor hidden = input;
  for (const std::uint64_t seed : {2, 3}) {
    weights.push_back(test::random_tensor({8, 8}, seed).requires_grad_(weights_train));
    const auto layer = [weight = weights.back()](const at::Tensor& values) {
      return nn::linear_product(values, weight).tanh() + values;
    };
    hidden = recompute ? nn::recompute_in_backward(layer, hidden) : layer(hidden);
  }
  REQUIRE(hidden.requires_grad() == (input_trains || weights_train));
  if (hidden.requires_grad()) (hidden * test::random_tensor({5, 8}, 4)).sum().backward();
  return {input.grad(), weights[0].grad(), weights[1].grad()};
}

}  // namespace

TEST_CASE("recomputed layers give the gradients of stored ones, bit for bit, whatever trains") {
  const bool input_trains = GENERATE(false, true), weights_train = GENERATE(false, true);
  CAPTURE(input_trains, weights_train);
  const auto stored = gradients(false, input_trains, weights_train);
  const auto recomputed = gradients(true, input_trains, weights_train);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    INFO("gradient " << i);
    REQUIRE(recomputed[i].defined() == stored[i].defined());
    if (stored[i].defined()) CHECK(test::same_bits(recomputed[i], stored[i]));
  }
}

TEST_CASE("without gradients a layer that would be recomputed runs once, without a graph") {
  const at::Tensor weight = test::random_tensor({8, 8}, 2).requires_grad_(true);
  const at::AutoGradMode no_graph(false);
  int num_calls = 0;
  const at::Tensor output = nn::recompute_in_backward(
      [&](const at::Tensor& values) {
        ++num_calls;
        return nn::linear_product(values, weight);
      },
      test::random_tensor({5, 8}, 1));
  CHECK_FALSE(output.requires_grad());
  CHECK(num_calls == 1);
}
