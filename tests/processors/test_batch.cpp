// Examples laid end to end.
#include <ATen/ops/full.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "processors/batch.h"
#include "text/prompt.h"

namespace vllama::processors {
namespace {

constexpr std::int64_t kImageToken = 32000;
constexpr std::int64_t kIgnored = text::kIgnoredLabel;

Example example(const std::string& id, std::int64_t num_frames, std::uint8_t pixel,
                std::vector<std::int64_t> token_ids, std::vector<std::int64_t> labels) {
  Example result;
  result.id = id;
  result.frames_FHWC = at::full({num_frames, 4, 4, 3}, pixel, at::kByte);
  result.token_ids = std::move(token_ids);
  result.labels = std::move(labels);
  return result;
}

std::vector<std::int64_t> values(const at::Tensor& tensor) {
  const auto* data = tensor.const_data_ptr<std::int64_t>();
  return {data, data + tensor.numel()};
}

}  // namespace

TEST_CASE("an image and clips of different length share a batch without padding") {
  const std::vector<Example> examples = {
      example("image", 1, 10, {1, kImageToken, kImageToken, 5, 13},
              {kIgnored, kIgnored, kIgnored, 5, 13}),
      example("clip", 3, 20, {1, 7, kImageToken, 9}, {kIgnored, kIgnored, kIgnored, 9}),
  };
  const Batch batch = pack(examples, kImageToken);
  CHECK(batch.size() == 2);
  CHECK(batch.sample_ids == std::vector<std::string>{"image", "clip"});
  CHECK(batch.frames_FHWC.sizes() == at::IntArrayRef({4, 4, 4, 3}));
  CHECK(batch.frames_per_sample == std::vector<std::int64_t>{1, 3});
  const auto* pixels = batch.frames_FHWC.const_data_ptr<std::uint8_t>();
  CHECK(pixels[47] == 10);
  CHECK(pixels[48] == 20);
  CHECK(values(batch.token_ids_T) == std::vector<std::int64_t>{1, 0, 0, 5, 13, 1, 7, 0, 9});
  CHECK(values(batch.labels_T) == std::vector<std::int64_t>{kIgnored, kIgnored, kIgnored, 5, 13,
                                                            kIgnored, kIgnored, kIgnored, 9});
  CHECK(batch.sequence_lengths == std::vector<std::int64_t>{5, 4});
  CHECK(values(batch.media_positions_M) == std::vector<std::int64_t>{1, 2, 7});
  CHECK(batch.num_targets == 3);
}

TEST_CASE("without examples the batch is empty") {
  const Batch batch = pack({}, kImageToken);
  CHECK(batch.size() == 0);
  CHECK(batch.num_targets == 0);
  CHECK(batch.frames_FHWC.sizes() == at::IntArrayRef({0, 0, 0, 3}));
  CHECK(batch.token_ids_T.numel() == 0);
  CHECK(batch.media_positions_M.numel() == 0);
}

TEST_CASE("examples that contradict themselves or each other are our own mistake") {
  std::vector<Example> examples = {example("a", 1, 0, {1, 2}, {kIgnored, 2}),
                                   example("b", 1, 0, {1, 2}, {kIgnored, 2})};
  SECTION("another frame size") {
    examples[1].frames_FHWC = at::full({1, 5, 5, 3}, 0, at::kByte);
  }
  SECTION("a label too few") {
    examples[1].labels.pop_back();
  }
  SECTION("a target that nothing predicts") {
    examples[1].labels[0] = 1;
  }
  SECTION("media as a target") {
    examples[1].token_ids[1] = kImageToken;
  }
  CHECK_THROWS_AS(pack(examples, kImageToken), InternalError);
}

}  // namespace vllama::processors
