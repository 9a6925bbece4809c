// Random boxes, and the cubic enlargement of video frames bit for bit.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "samples/crop.h"
#include "tests/support/fixtures.h"
#include "tests/support/safetensors_file.h"

namespace vllama::samples {

TEST_CASE("a random box lies inside the picture, within the area and ratio limits") {
  RandomStream stream(11);
  for (int i = 0; i < 5000; ++i) {
    const std::int64_t height = 100 + i % 150, width = 100 + i % 170;
    const CropBox box = draw_crop(height, width, {0.5, 1.0}, stream);
    REQUIRE((box.top >= 0 && box.left >= 0 && box.height >= 1 && box.width >= 1));
    REQUIRE((box.top + box.height <= height && box.left + box.width <= width));
    const double area = static_cast<double>(box.height * box.width);
    const double ratio = static_cast<double>(box.width) / static_cast<double>(box.height);
    // One pixel of rounding on each side.
    REQUIRE(area >= 0.5 * static_cast<double>((height - 2) * (width - 2)) - 1);
    REQUIRE(ratio >= 0.75 * 0.97);
    REQUIRE(ratio <= 4.0 / 3.0 * 1.03);
  }
}

TEST_CASE("the share of a box's area is uniform between its limits") {
  RandomStream stream(5);
  constexpr int kDraws = 20000;
  double sum = 0;
  for (int i = 0; i < kDraws; ++i) {
    const CropBox box = draw_crop(4000, 4000, {0.2, 0.4}, stream);
    sum += static_cast<double>(box.height * box.width) / (4000.0 * 4000.0);
  }
  // The mean of draws with deviation 0.2 / sqrt(12) is off by more than five of its own deviations
  // once in two million seeds; this seed is fixed.
  CHECK(std::abs(sum / kDraws - 0.3) < 5 * 0.2 / std::sqrt(12.0 * kDraws));
}

TEST_CASE("pictures too long for any box get the largest centred one") {
  RandomStream stream(3);
  CHECK(draw_crop(10, 1000, {1.0, 1.0}, stream) == CropBox{0, 493, 10, 13});
  CHECK(draw_crop(1000, 9, {1.0, 1.0}, stream) == CropBox{494, 0, 12, 9});
  CHECK(draw_crop(1, 1, {0.5, 1.0}, stream) == CropBox{0, 0, 1, 1});
}

TEST_CASE("a crop enlarged by cubic convolution equals the original's, clamped or wrapped (D10)") {
  VLLAMA_SHARED_FILE(golden_path, "goldens/media/train_crop_fixed.safetensors");
  VLLAMA_SHARED_FILE(frames_path, "goldens/media/frames_u8.safetensors");
  const test::SafetensorsFile golden(golden_path), frames(frames_path);
  const auto clip = frames.values<std::uint8_t>("dog_barking");
  const auto box = golden.values<std::int64_t>("crop");
  constexpr std::size_t kFrameBytes = 224 * 224 * 3;
  std::vector<std::uint8_t> resized(kFrameBytes);
  crop_and_resize_frame(std::span(clip).first(kFrameBytes), 224, {box[0], box[1], box[2], box[3]},
                        224, resized);
  const auto clamped = golden.values<std::uint8_t>("clamped_u8");
  CHECK(resized == clamped);
  crop_and_resize_frame(std::span(clip).first(kFrameBytes), 224, {box[0], box[1], box[2], box[3]},
                        224, resized, Overshoot::wrap);
  CHECK(resized == golden.values<std::uint8_t>("reference_u8"));
  CHECK(resized != clamped);
}

TEST_CASE("overshoot beside a sharp edge is clamped") {
  constexpr std::int64_t kSize = 8, kTarget = 32;
  std::vector<std::uint8_t> frame(kSize * kSize * 3);
  for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = (i / 3) % kSize < kSize / 2 ? 0 : 255;
  std::vector<std::uint8_t> resized(kTarget * kTarget * 3);
  crop_and_resize_frame(frame, kSize, {0, 0, kSize, kSize}, kTarget, resized);
  // The overshoot is about 10 % of the step: without a clamp the dark side would be bright.
  for (std::size_t i = 0; i < resized.size(); ++i) {
    const std::size_t x = (i / 3) % kTarget;
    if (x < kTarget / 2 - 2) CHECK(resized[i] < 30);
    if (x > kTarget / 2 + 1) CHECK(resized[i] > 225);
  }
}

TEST_CASE("a crop of the target's size is a copy") {
  std::vector<std::uint8_t> frame(10 * 12 * 3);
  for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = static_cast<std::uint8_t>(i * 37);
  std::vector<std::uint8_t> resized(4 * 4 * 3);
  crop_and_resize_frame(frame, 12, {3, 5, 4, 4}, 4, resized);
  for (std::size_t y = 0; y < 4; ++y)
    for (std::size_t i = 0; i < 12; ++i)
      CHECK(resized[y * 12 + i] == frame[((y + 3) * 12 + 5) * 3 + i]);
}

}  // namespace vllama::samples
