#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>

#include <catch2/catch.hpp>

#include "nn/linear.h"
#include "nn/linear_kernel.h"
#include "nn/norm.h"
#include "tests/support/tensors.h"

using namespace vllama;

namespace {

constexpr double kLinearRounding = 2e-6;

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
    if (actual[i].defined())
      CHECK(test::relative_difference(actual[i], expected[i]) < kLinearRounding);
  }
}

TEST_CASE("linear: half precision, no rows, and rows that are not contiguous") {
  const Operands x;
  const auto same = [](const at::Tensor& values, const at::Tensor& weight) {
    return test::relative_difference(nn::linear_product(values, weight),
                                     at::linear(values, weight)) < kLinearRounding;
  };
  CHECK(same(x.values.to(at::kBFloat16), x.weight.to(at::kBFloat16)));
  CHECK(same(x.values.narrow(0, 0, 0), x.weight));
  CHECK(same(x.values.t().contiguous().t(), x.weight));
  CHECK(same(x.values.narrow(1, 3, 12), x.weight.narrow(1, 5, 12)));
}

TEST_CASE("parameters that train stay fp32 and compute in the type of the activations") {
  const Operands x;
  nn::Linear linear(24, 40);
  nn::LayerNorm layer_norm(24, 1e-5);
  nn::RmsNorm rms_norm(24, 1e-6);
  const auto results = [&](bool trained_type_is_fp32) {
    const auto leaf = [&](const at::Tensor& values) {
      const at::Tensor rounded = values.to(at::kBFloat16);
      return (trained_type_is_fp32 ? rounded.to(at::kFloat) : rounded).requires_grad_(true);
    };
    linear.weight_OI = leaf(x.weight);
    linear.bias_O = leaf(x.bias);
    layer_norm.weight_W = leaf(test::random_tensor({24}, 5));
    layer_norm.bias_W = leaf(test::random_tensor({24}, 6));
    rms_norm.weight_W = leaf(test::random_tensor({24}, 7));
    const at::Tensor output = linear(rms_norm(layer_norm(x.values.to(at::kBFloat16))));
    CHECK(output.scalar_type() == at::kBFloat16);
    output.sum().backward();
    std::vector<at::Tensor> all{output.detach()};
    for (const at::Tensor* parameter : {&linear.weight_OI, &linear.bias_O, &layer_norm.weight_W,
                                        &layer_norm.bias_W, &rms_norm.weight_W}) {
      CHECK(parameter->grad().scalar_type() == parameter->scalar_type());
      all.push_back(parameter->grad().to(at::kFloat));
    }
    return all;
  };
  const auto converted = results(true), in_bf16 = results(false);
  for (std::size_t i = 0; i < converted.size(); ++i) {
    INFO("result " << i);
    CHECK(test::same_bits(converted[i], in_bf16[i]));
  }
}
