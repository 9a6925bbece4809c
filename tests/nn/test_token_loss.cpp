#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>

#include <catch2/catch.hpp>
#include <vector>

#include "nn/token_loss.h"
#include "tests/support/tensors.h"

using namespace vllama;

TEST_CASE("the loss in slices equals the loss at once, with its gradient") {
  const at::Tensor source = test::random_tensor({7, 5}, 1), head = test::random_tensor({11, 5}, 2);
  const at::Tensor targets = at::tensor(std::vector<std::int64_t>{0, 10, 3, 3, 7, 1, 9}, at::kLong);
  const at::Tensor whole = source.clone().requires_grad_(true);
  const at::Tensor expected =
      at::cross_entropy_loss(at::matmul(whole.tanh(), head.t()), targets, {}, at::Reduction::Sum);
  (expected * 0.5).backward();
  for (const std::int64_t rows : {1, 2, 3, 7, 100}) {
    const at::Tensor leaf = source.clone().requires_grad_(true);
    const at::Tensor sum =
        nn::token_loss(leaf.tanh(), head, targets, rows, nn::Gradients::accumulate, 0.5);
    CHECK(sum.item<double>() == Approx(expected.item<double>()).epsilon(1e-6));
    CHECK(test::relative_difference(leaf.grad(), whole.grad()) < 1e-6);
    CHECK_FALSE(sum.requires_grad());
  }
  const at::Tensor untouched = source.clone().requires_grad_(true);
  nn::token_loss(untouched.tanh(), head, targets, 3, nn::Gradients::none);
  CHECK_FALSE(untouched.grad().defined());
}

TEST_CASE("an output matrix that trains receives its gradient") {
  const at::Tensor hidden = test::random_tensor({4, 3}, 5);
  const at::Tensor head = test::random_tensor({6, 3}, 6).requires_grad_(true);
  const at::Tensor targets = at::tensor(std::vector<std::int64_t>{0, 1, 2, 3}, at::kLong);
  const at::Tensor leaf = hidden.clone().requires_grad_(true);
  nn::token_loss(leaf * 1.0, head, targets, 2, nn::Gradients::accumulate);
  const at::Tensor sliced = head.grad().clone();
  head.mutable_grad().reset();
  at::cross_entropy_loss(at::matmul(hidden, head.t()), targets, {}, at::Reduction::Sum).backward();
  CHECK(test::relative_difference(sliced, head.grad()) < 1e-6);
}

TEST_CASE("an output matrix can train alone, in fp32 under bf16 rows") {
  const at::Tensor hidden = test::random_tensor({4, 3}, 5).to(at::kBFloat16);
  const at::Tensor values = test::random_tensor({6, 3}, 6).to(at::kBFloat16);
  const at::Tensor targets = at::tensor(std::vector<std::int64_t>{0, 1, 2, 3}, at::kLong);
  const at::Tensor expected = values.clone().requires_grad_(true);
  at::cross_entropy_loss(at::matmul(hidden, expected.t()).to(at::kFloat), targets, {},
                         at::Reduction::Sum)
      .backward();
  for (const std::int64_t rows : {1, 4}) {
    const at::Tensor head = values.to(at::kFloat).requires_grad_(true);
    nn::token_loss(hidden, head, targets, rows, nn::Gradients::accumulate);
    REQUIRE(head.grad().defined());
    CHECK(head.grad().scalar_type() == at::kFloat);
    // Four terms, each rounded to bf16.
    CHECK(test::relative_difference(head.grad(), expected.grad()) < 4 * 0x1p-9);
  }
}
