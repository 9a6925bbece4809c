#include <ATen/ops/eye.h>
#include <ATen/ops/scalar_tensor.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "toy_world/senses/contrast.h"

using namespace vllama;

TEST_CASE("contrast: equal contents match, and the loss is a cross entropy") {
  const at::Tensor matches = toy::matches({"a", "b", "a", "c"});
  CHECK(matches[0][0].item<float>() == 0.5f);
  CHECK(matches[0][2].item<float>() == 0.5f);
  CHECK(matches[1][1].item<float>() == 1.0f);
  CHECK(matches[0][1].item<float>() == 0.0f);

  const at::Tensor units = at::eye(4, at::kFloat);
  const at::Tensor scale = at::scalar_tensor(2.0, at::kFloat);
  const double loss =
      toy::contrast_loss(units, units, scale, toy::matches({"a", "b", "c", "d"})).item<double>();
  CHECK(loss == Approx(std::log(std::exp(2.0) + 3) - 2));
}
