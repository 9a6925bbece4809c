#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "core/random.h"
#include "optim/gradient_norm.h"
#include "tests/optim/golden_adamw.h"

using namespace vllama;
using namespace vllama::optim;

namespace {

// A row of 1024 is summed in fp32 in at least 8 lanes; its relative error is below 128 roundings.
// Errors of rows are independent and far smaller in sum.
constexpr double kNormTolerance = 128 * 0x1p-24;

at::Tensor normal_values(std::int64_t num_elements) {
  at::Tensor values = at::empty({num_elements}, at::kFloat);
  RandomStream stream(random_key({11}));
  for (std::int64_t i = 0; i < num_elements; ++i)
    values.mutable_data_ptr<float>()[i] = static_cast<float>(stream.normal());
  return values;
}

}  // namespace

TEST_CASE("norm and clipping equal the reference") {
  const auto golden = test::load_adamw_golden().at("clipping");
  const at::Tensor gradient = test::tensor_of(golden.at("gradient"), {2500});
  const double norm = gradient_norm(gradient);
  CHECK(norm == Approx(golden.at("norm").get<double>()).epsilon(kNormTolerance));
  const double factor = clipping_factor(norm, golden.at("max_norm"));
  CHECK(gradient_norm(gradient * factor) ==
        Approx(golden.at("clipped_norm").get<double>()).epsilon(2 * kNormTolerance));
}

TEST_CASE("the norm is right at every size around a row") {
  for (const std::int64_t size : {0, 1, 1023, 1024, 1025, 4096, 300001}) {
    const at::Tensor values = normal_values(size);
    double sum = 0;
    for (std::int64_t i = 0; i < size; ++i) sum += std::pow(values.const_data_ptr<float>()[i], 2);
    CHECK(gradient_norm(values) == Approx(std::sqrt(sum)).epsilon(kNormTolerance));
  }
}

TEST_CASE("the norm does not depend on the number of threads") {
  const at::Tensor values = normal_values(1000003);
  const int threads_before = at::get_num_threads();
  at::set_num_threads(1);
  const double one = gradient_norm(values);
  for (const int num_threads : {2, 3, 7}) {
    at::set_num_threads(num_threads);
    CHECK(gradient_norm(values) == one);
  }
  at::set_num_threads(threads_before);
}

TEST_CASE("one element that is not finite shows, wherever it is") {
  for (const float bad :
       {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    for (const std::int64_t place : {0, 1023, 1024, 5000, 5119, 5120, 5121}) {
      at::Tensor values = at::zeros({5122});
      values[place] = bad;
      CHECK_FALSE(std::isfinite(gradient_norm(values)));
    }
  }
  CHECK(std::isfinite(gradient_norm(at::full({5122}, 1e17))));
}

TEST_CASE("clipping shortens only what is too long, and 0 switches it off") {
  CHECK(clipping_factor(3, 0) == 1);
  CHECK(clipping_factor(0.5, 1) == 1);
  CHECK(clipping_factor(0, 1) == 1);
  CHECK(clipping_factor(4, 1) == Approx(0.25).epsilon(1e-6));
}
