// Examples laid end to end.
#include <ATen/Parallel.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "core/error.h"
#include "samples/batch.h"
#include "text/prompt.h"

namespace vllama::samples {
namespace {

constexpr std::int64_t kImageToken = 32000;
constexpr std::int64_t kIgnored = text::kIgnoredLabel;

Example example(const std::string& id, std::int64_t num_frames, std::uint8_t pixel,
                std::vector<std::int64_t> token_ids, std::vector<std::int64_t> labels) {
  Example result;
  result.id = id;
  result.media = {{.values = at::full({num_frames, 4, 4, 3}, pixel, at::kByte),
                   .num_tokens = std::ranges::count(token_ids, kImageToken)}};
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
  const MediaGroup& group = batch.media.at(0);
  CHECK(group.values.sizes() == at::IntArrayRef({4, 4, 4, 3}));
  CHECK(group.extents == std::vector<samples::MediaExtent>{1, 3});
  const auto* pixels = group.values.const_data_ptr<std::uint8_t>();
  CHECK(pixels[47] == 10);
  CHECK(pixels[48] == 20);
  CHECK(values(batch.token_ids_T) == std::vector<std::int64_t>{1, 0, 0, 5, 13, 1, 7, 0, 9});
  CHECK(values(batch.labels_T) == std::vector<std::int64_t>{kIgnored, kIgnored, kIgnored, 5, 13,
                                                            kIgnored, kIgnored, kIgnored, 9});
  CHECK(batch.sequence_lengths == std::vector<std::int64_t>{5, 4});
  CHECK(values(group.positions_M) == std::vector<std::int64_t>{1, 2, 7});
  CHECK(batch.num_targets == 3);
}

TEST_CASE("media of one sample that go to different encoders keep their places") {
  Example mixed = example("both", 2, 10, {1, kImageToken, 4, kImageToken, kImageToken, 5},
                          {kIgnored, kIgnored, kIgnored, kIgnored, kIgnored, 5});
  mixed.dropout_key = 77;
  mixed.media[0].num_tokens = 1;
  mixed.media.push_back({.kind = MediaKind::sound,
                         .encoder = 2,
                         .values = at::full({3, 1, 128, 204}, 0.5, at::kFloat),
                         .num_tokens = 2});
  const Example plain = example("clip", 1, 20, {1, kImageToken, 9}, {kIgnored, kIgnored, 9});
  const Batch batch = pack(std::vector<Example>{mixed, plain}, kImageToken);
  const MediaGroup& frames = batch.media.at(0);
  const MediaGroup& sound = batch.media.at(2);
  CHECK(frames.extents == std::vector<samples::MediaExtent>{2, 1});
  CHECK(values(frames.positions_M) == std::vector<std::int64_t>{1, 7});
  CHECK(sound.extents == std::vector<samples::MediaExtent>{3});
  CHECK(values(sound.positions_M) == std::vector<std::int64_t>{3, 4});
  CHECK(batch.media.at(1).empty());
  CHECK(frames.dropout_keys[0] == 77);
  CHECK(sound.dropout_keys[0] != 77);
}

TEST_CASE("frames and sound take their places in the order of their runs") {
  Example mixed = example("both", 2, 10, std::vector<std::int64_t>(7, kImageToken),
                          std::vector<std::int64_t>(7, kIgnored));
  mixed.token_ids.push_back(5);
  mixed.labels.push_back(5);
  mixed.media[0].num_tokens = 4;
  mixed.media.push_back({.kind = MediaKind::sound,
                         .encoder = 1,
                         .values = at::full({1, 80, 100}, 0.5, at::kFloat),
                         .num_tokens = 3});
  mixed.runs = {{0, 2}, {1, 1}, {0, 2}, {1, 2}};
  const Batch batch = pack(std::vector<Example>{mixed}, kImageToken);
  CHECK(values(batch.media.at(0).positions_M) == std::vector<std::int64_t>{0, 1, 3, 4});
  CHECK(values(batch.media.at(1).positions_M) == std::vector<std::int64_t>{2, 5, 6});
  mixed.runs = {{0, 3}, {1, 4}};
  CHECK_THROWS_AS(pack(std::vector<Example>{mixed}, kImageToken), InternalError);
}

TEST_CASE("packing starts no threads beside those of a loader") {
  const auto num_threads = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  at::set_num_threads(4);
  std::vector<Example> examples;
  for (int i = 0; i < 2; ++i) {
    examples.push_back(example("clip", 1, 0, {1, kImageToken, 2}, {kIgnored, kIgnored, 2}));
    examples.back().media[0].values = at::full({8, 224, 224, 3}, i, at::kByte);
  }
  std::ptrdiff_t before = 0, after = 0;
  std::thread([&] {
    before = num_threads();
    pack(examples, kImageToken);
    after = num_threads();
  }).join();
  CHECK(after == before);
}

TEST_CASE("without examples the batch is empty") {
  const Batch batch = pack({}, kImageToken);
  CHECK(batch.size() == 0);
  CHECK(batch.num_targets == 0);
  CHECK(batch.token_ids_T.numel() == 0);
  for (const MediaGroup& group : batch.media) CHECK(group.empty());
}

TEST_CASE("examples that contradict themselves or each other are our own mistake") {
  const std::vector<std::int64_t> ids{1, kImageToken, 2}, labels{kIgnored, kIgnored, 2};
  std::vector<Example> examples = {example("a", 1, 0, ids, labels),
                                   example("b", 1, 0, ids, labels)};
  SECTION("another frame size") {
    examples[1].media[0].values = at::full({1, 5, 5, 3}, 0, at::kByte);
  }
  SECTION("another type of numbers") {
    examples[1].media[0].values = at::full({1, 4, 4, 3}, 0, at::kFloat);
  }
  SECTION("a label too few") {
    examples[1].labels.pop_back();
  }
  SECTION("a target that nothing predicts") {
    examples[1].labels[0] = 1;
  }
  SECTION("media as a target") {
    examples[1].labels[1] = kImageToken;
  }
  SECTION("a media token without a medium") {
    examples[1].media.clear();
  }
  SECTION("a medium with too few media tokens") {
    examples[1].media[0].num_tokens = 2;
  }
  CHECK_THROWS_AS(pack(examples, kImageToken), InternalError);
}

}  // namespace vllama::samples
