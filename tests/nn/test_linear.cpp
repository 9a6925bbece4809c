#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>

#include <catch2/catch.hpp>

#include "nn/linear_kernel.h"
#include "tests/support/tensors.h"

using namespace vllama;

namespace {

constexpr double kRounding = 2e-6;

struct Operands {
  at::Tensor values = test::random_tensor({37, 24}, 1);
  at::Tensor weight = test::random_tensor({40, 24}, 2);
  at::Tensor bias = test::random_tensor({40}, 3);
};

using Product = at::Tensor (*)(const at::Tensor&, const at::Tensor&,
                               const std::optional<at::Tensor>&);

at::Tensor by_libtorch(const at::Tensor& values, const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias) {
  return at::linear(values, weight, bias);
}

// Output and gradients, those that `trains` or not.
std::vector<at::Tensor> results_of(Product product, bool weight_trains, bool biased) {
  Operands x;
  x.values.requires_grad_(true);
  x.weight.requires_grad_(weight_trains);
  x.bias.requires_grad_(weight_trains);
  const at::Tensor output =
      product(x.values, x.weight, biased ? std::optional(x.bias) : std::nullopt);
  (output * test::random_tensor({37, 40}, 4)).sum().backward();
  return {output.detach(), x.values.grad(), x.weight.grad(), x.bias.grad()};
}

}  // namespace

TEST_CASE("linear: output and gradients as libtorch's own, frozen or trained") {
  const bool weight_trains = GENERATE(false, true), biased = GENERATE(false, true);
  CAPTURE(weight_trains, biased);
  const auto actual = results_of(nn::linear_product, weight_trains, biased);
  const auto expected = results_of(by_libtorch, weight_trains, biased);
  for (std::size_t i = 0; i < actual.size(); ++i) {
    INFO("result " << i);
    REQUIRE(actual[i].defined() == expected[i].defined());
    if (actual[i].defined()) CHECK(test::relative_difference(actual[i], expected[i]) < kRounding);
  }
}

TEST_CASE("linear: half precision, no rows, and rows that are not contiguous") {
  const Operands x;
  const auto same = [](const at::Tensor& values, const at::Tensor& weight) {
    return test::relative_difference(nn::linear_product(values, weight),
                                     at::linear(values, weight)) < kRounding;
  };
  CHECK(same(x.values.to(at::kBFloat16), x.weight.to(at::kBFloat16)));
  CHECK(same(x.values.narrow(0, 0, 0), x.weight));
  CHECK(same(x.values.t().contiguous().t(), x.weight));
  CHECK(same(x.values.narrow(1, 3, 12), x.weight.narrow(1, 5, 12)));
}
