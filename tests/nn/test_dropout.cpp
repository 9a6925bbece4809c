#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>

#include <catch2/catch.hpp>

#include "nn/dropout.h"
#include "tests/support/tensors.h"

using namespace vllama;

TEST_CASE("dropout keeps the mean, at the given rate") {
  nn::Dropout dropout(0.1, std::vector<std::uint64_t>{1, 2, 3, 4}, at::kCPU);
  dropout.next_site();
  const at::Tensor values = dropout(at::ones({4, 100, 250}), 0, 4);
  CHECK(values.eq(0).to(at::kFloat).mean().item<double>() == Approx(0.1).margin(0.005));
  CHECK(values.max().item<double>() == Approx(1 / 0.9));
}

TEST_CASE(
    "a sample's mask is its own: same in any batch, other at every site and for every sample") {
  const at::Tensor ones = at::ones({2, 50});
  nn::Dropout both(0.5, std::vector<std::uint64_t>{8, 9}, at::kCPU),
      second(0.5, std::vector<std::uint64_t>{9}, at::kCPU);
  both.next_site();
  second.next_site();
  const at::Tensor masks = both(ones, 0, 2);
  CHECK(test::same_bits(masks.narrow(0, 1, 1), second(ones.narrow(0, 1, 1), 0, 1)));
  CHECK(test::same_bits(masks.narrow(0, 1, 1), both(ones.narrow(0, 1, 1), 1, 1)));
  CHECK_FALSE(test::same_bits(masks[0], masks[1]));
  both.next_site();
  CHECK_FALSE(test::same_bits(masks, both(ones, 0, 2)));
}

TEST_CASE("no dropout changes nothing") {
  const at::Tensor values = test::random_tensor({3, 4}, 1);
  CHECK(test::same_bits(nn::Dropout()(values, 0, 3), values));
}
