// Features of inputs that come again are not computed again.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include <catch2/catch.hpp>

#include "encoders/feature_memory.h"
#include "tests/support/tensors.h"

using namespace vllama;
using encoders::FeatureMemory;

namespace {

constexpr std::int64_t kBytesEach = 2 * 3 * 4;  // two rows of three fp32 numbers

// Two rows an input, and a count of the inputs it was called with.
struct Encoder {
  at::Tensor operator()(const at::Tensor& inputs_N1, const FeatureMemory::Media& /*media*/ = {}) {
    num_encoded += inputs_N1.size(0);
    const at::Tensor numbers_N1 = inputs_N1.to(at::kFloat);
    return at::cat({numbers_N1, numbers_N1 * 2, numbers_N1 * 3, numbers_N1 * 4, numbers_N1 * 5,
                    numbers_N1 * 6},
                   1)
        .view({-1, 3});
  }
  std::int64_t num_encoded = 0;
};

// Media of two, one and one inputs.
void check_same(FeatureMemory& memory, Encoder& encoder, const std::vector<std::int64_t>& numbers) {
  Encoder plain;
  const at::Tensor inputs_N1 = at::tensor(numbers, at::kLong).to(at::kByte).unsqueeze(1);
  CHECK(at::equal(memory(inputs_N1, {2, 1, 1}, std::ref(encoder)), plain(inputs_N1)));
}

}  // namespace

TEST_CASE("features: each medium is encoded once, and keeps its place") {
  FeatureMemory memory(1000);
  Encoder encoder;
  check_same(memory, encoder, {1, 2, 3, 4});
  CHECK(encoder.num_encoded == 4);
  check_same(memory, encoder, {1, 2, 4, 3});
  CHECK(encoder.num_encoded == 4);
  check_same(memory, encoder,
             {2, 1, 5, 5});  // another order is another medium; one of two comes twice
  CHECK(encoder.num_encoded == 7);
  CHECK(memory.num_bytes() == 7 * kBytesEach);
}

TEST_CASE("features: a full memory adds nothing, and one of no size encodes as always") {
  FeatureMemory memory(3 * kBytesEach);
  Encoder encoder;
  check_same(memory, encoder, {1, 2, 3, 4});
  CHECK(memory.num_bytes() == 3 * kBytesEach);
  check_same(memory, encoder, {1, 2, 3, 4});
  CHECK(encoder.num_encoded == 5);
  FeatureMemory none(0);
  Encoder again;
  check_same(none, again, {1, 2, 3, 3});
  check_same(none, again, {1, 2, 3, 3});
  CHECK(again.num_encoded == 8);
}

TEST_CASE("features: the same silence behind a sound that ends elsewhere is another sound") {
  FeatureMemory memory(1000);
  Encoder encoder;
  const at::Tensor input_11 = at::tensor({1}, at::kLong).to(at::kByte).unsqueeze(1);
  memory(input_11, {{1, 0}}, std::ref(encoder));
  memory(input_11, {{1, 1}}, std::ref(encoder));
  CHECK(encoder.num_encoded == 2);
  memory(input_11, {{1, 1}}, std::ref(encoder));
  CHECK(encoder.num_encoded == 2);
}
