#include <ATen/ops/tensor.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "nn/rotary.h"
#include "tests/support/tensors.h"

using namespace vllama;

namespace {

at::Tensor rotated(const at::Tensor& vector_K, std::int64_t position,
                   const nn::RotaryEmbedding& rotary) {
  const auto angles =
      rotary.at_positions(at::tensor(std::vector<std::int64_t>{position}, at::kLong));
  return nn::RotaryEmbedding::rotate(vector_K.view({1, 1, -1}), angles).flatten();
}

}  // namespace

TEST_CASE("scores depend on the distance of positions only") {
  const nn::RotaryEmbedding rotary(16, 64, 10000, {}, at::kFloat, at::kCPU);
  const at::Tensor q = test::random_tensor({16}, 1), k = test::random_tensor({16}, 2);
  const auto score = [&](std::int64_t a, std::int64_t b) {
    return rotated(q, a, rotary).dot(rotated(k, b, rotary)).item<double>();
  };
  CHECK(score(5, 2) == Approx(score(43, 40)).margin(1e-5));
  CHECK(std::abs(score(5, 2) - score(5, 3)) > 1e-3);
}

TEST_CASE("dimension i turns with dimension i + D/2") {
  const nn::RotaryEmbedding rotary(4, 8, 10000, {}, at::kFloat, at::kCPU);
  const at::Tensor turned = rotated(at::tensor(std::vector<float>{1, 0, 0, 0}), 3, rotary);
  CHECK(turned[0].item<float>() == Approx(std::cos(3.0)));
  CHECK(turned[2].item<float>() == Approx(std::sin(3.0)));
  CHECK(turned[1].item<float>() == 0);
}

TEST_CASE("scaled frequencies") {
  const nn::RotaryEmbedding plain(8, 64, 10000, {}, at::kFloat, at::kCPU);
  const nn::RotaryEmbedding slow(
      8, 64, 10000, {.kind = nn::RotaryScaling::Kind::linear, .factor = 4}, at::kFloat, at::kCPU);
  const at::Tensor x = test::random_tensor({8}, 3);
  CHECK(test::relative_difference(rotated(x, 40, slow), rotated(x, 10, plain)) < 1e-5);
  nn::RotaryScaling llama3{.kind = nn::RotaryScaling::Kind::llama3, .factor = 8};
  llama3.original_positions = 64;
  const nn::RotaryEmbedding mixed(8, 64, 10000, llama3, at::kFloat, at::kCPU);
  const at::Tensor turned = rotated(x, 5, mixed), as_plain = rotated(x, 5, plain);
  CHECK(turned[0].item<float>() == as_plain[0].item<float>());  // fast: more than 4 turns in 64
  CHECK(turned[3].item<float>() != as_plain[3].item<float>());  // slow: 8 times slower
}
