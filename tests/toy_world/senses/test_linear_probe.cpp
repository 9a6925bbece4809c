#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>

#include <catch2/catch.hpp>

#include "core/random.h"
#include "toy_world/senses/linear_probe.h"

using namespace vllama;

namespace {

at::Tensor normals(std::int64_t rows, std::int64_t columns, RandomStream& random) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < rows * columns; ++i)
    values.push_back(static_cast<float>(random.normal()));
  return at::tensor(values).view({rows, columns});
}

}  // namespace

TEST_CASE("probes find what is linear in features, and nothing in noise") {
  RandomStream random(1);
  const at::Tensor map = normals(5, 2, random);
  const at::Tensor features = normals(400, 5, random), others = normals(200, 5, random);
  const auto targets = [&](const at::Tensor& inputs) { return at::matmul(inputs, map) + 3; };
  const toy::LinearProbe probe(features, targets(features));
  CHECK(toy::explained_variance(probe(others), targets(others)) > 0.999);
  const toy::LinearProbe of_noise(features, normals(400, 2, random));
  CHECK(toy::explained_variance(of_noise(others), normals(200, 2, random)) < 0.1);

  const auto sign = [](const at::Tensor& inputs) {
    return inputs.select(1, 0).gt(0).to(at::kLong);
  };
  CHECK(toy::ChoiceProbe(features, sign(features), 2).accuracy(others, sign(others)) > 0.9);
}

TEST_CASE("balanced accuracy weighs what is rare as much as what is not") {
  const at::Tensor present = at::tensor(std::vector<float>{1, 0, 0, 0}).view({4, 1});
  const at::Tensor always_no = at::tensor(std::vector<float>{0, 0, 0, 0}).view({4, 1});
  CHECK(toy::balanced_accuracy(always_no, present) == Approx(0.5));
  CHECK(toy::balanced_accuracy(present, present) == Approx(1));
}
