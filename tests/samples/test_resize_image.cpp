// Still images equal Pillow's, pixel for pixel.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <numeric>

#include "media/image.h"
#include "samples/resize_image.h"
#include "tests/support/fixtures.h"
#include "tests/support/safetensors_file.h"

namespace vllama::samples {
namespace {

// (x / 255 - mean) / std per channel, as every image and frame enters the vision models.
constexpr float kMean[] = {0.48145466F, 0.4578275F, 0.40821073F};
constexpr float kDeviation[] = {0.26862954F, 0.26130258F, 0.27577711F};
// Two roundings of fp32 on values up to 2.7.
constexpr float kNormalisationTolerance = 1e-6F;

// How many values differ, -1 for vectors of different length.
std::ptrdiff_t num_different(const std::vector<std::uint8_t>& a,
                             const std::vector<std::uint8_t>& b) {
  if (a.size() != b.size()) return -1;
  return std::inner_product(a.begin(), a.end(), b.begin(), std::ptrdiff_t{0}, std::plus<>{},
                            std::not_equal_to<>{});
}

// The window [60, 124) x [100, 164) of a 224 x 224 picture that the recordings keep.
float largest_error_in_window(const std::vector<std::uint8_t>& frame,
                              const std::vector<float>& expected, std::size_t frame_index,
                              std::size_t num_frames) {
  float largest = 0;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t y = 0; y < 64; ++y) {
      for (std::size_t x = 0; x < 64; ++x) {
        const float pixel = frame[((y + 60) * 224 + x + 100) * 3 + channel];
        const float value = (pixel / 255.0F - kMean[channel]) / kDeviation[channel];
        const float wanted = expected[((channel * num_frames + frame_index) * 64 + y) * 64 + x];
        largest = std::max(largest, std::abs(value - wanted));
      }
    }
  }
  return largest;
}

}  // namespace

TEST_CASE("images are resized as Pillow does") {
  VLLAMA_SHARED_FILE(golden_path, "goldens/media/images_eval.safetensors");
  VLLAMA_SHARED_FILE(media_folder, "fixtures/media");
  const test::SafetensorsFile golden(golden_path);
  for (const std::string name : {"dog", "Statue_of_Liberty"}) {
    INFO(name);
    const media::Image image = media::read_image(media_folder / (name + ".jpg"));
    const media::Image resized = resize_image(image, 224, 224);
    CHECK(resized.width == 224);
    CHECK(resized.height == 224);
    CHECK(num_different(crop_image(image, {0, 0, 64, 64}).rgb,
                        golden.values<std::uint8_t>(name + ".decoded_crop_u8")) == 0);
    CHECK(num_different(resized.rgb, golden.values<std::uint8_t>(name + ".resized_u8")) == 0);
  }
  const media::Image dog = resize_image(media::read_image(media_folder / "dog.jpg"), 224, 224);
  CHECK(largest_error_in_window(dog.rgb, golden.values<float>("dog.eval_crop"), 0, 1) <
        kNormalisationTolerance);
}

TEST_CASE("normalised frames of a clip equal the original's evaluation processor") {
  VLLAMA_SHARED_FILE(golden_path, "goldens/media/processed_boat.safetensors");
  VLLAMA_SHARED_FILE(frames_path, "goldens/media/frames_u8.safetensors");
  const auto expected = test::SafetensorsFile(golden_path).values<float>("processed_crop");
  const auto frames = test::SafetensorsFile(frames_path).values<std::uint8_t>("boat");
  constexpr std::ptrdiff_t kFrameBytes = 224 * 224 * 3;
  for (std::size_t i = 0; i < 8; ++i) {
    const auto begin = frames.begin() + static_cast<std::ptrdiff_t>(i) * kFrameBytes;
    CHECK(largest_error_in_window({begin, begin + kFrameBytes}, expected, i, 8) <
          kNormalisationTolerance);
  }
}

TEST_CASE("a uniform image stays uniform at any size") {
  const media::Image image{7, 5, std::vector<std::uint8_t>(7 * 5 * 3, 200)};
  for (const std::int64_t size : {1, 3, 7, 64}) {
    const media::Image resized = resize_image(image, size, size);
    CHECK(resized.rgb == std::vector<std::uint8_t>(static_cast<std::size_t>(size * size * 3), 200));
  }
}

TEST_CASE("tall images lose their rows first, others their columns") {
  // From tools/reference/pillow_resize.py: sums over the pixels of a pattern, which differ between
  // the two orders.
  const auto weighted_sum_of = [](std::int64_t width, std::int64_t height) {
    media::Image image{width, height, {}};
    for (std::int64_t i = 0; i < width * height * 3; ++i)
      image.rgb.push_back(static_cast<std::uint8_t>(i * i * 31 % 251));
    const media::Image resized = resize_image(image, 16, 16);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < resized.rgb.size(); ++i)
      sum += static_cast<std::int64_t>(i + 1) * resized.rgb[i];
    return sum;
  };
  CHECK(weighted_sum_of(20, 24) == 34645559);
  CHECK(weighted_sum_of(20, 25) == 34896183);
  CHECK(weighted_sum_of(12, 17) == 34817232);
  CHECK(weighted_sum_of(40, 33) == 34857221);
  CHECK(weighted_sum_of(24, 16) == 34888720);
  CHECK(weighted_sum_of(16, 24) == 34857996);
}

TEST_CASE("cropping keeps the pixels of the box") {
  media::Image image{6, 4, {}};
  for (int i = 0; i < 6 * 4 * 3; ++i) image.rgb.push_back(static_cast<std::uint8_t>(i));
  const media::Image cropped = crop_image(image, {.top = 1, .left = 2, .height = 2, .width = 3});
  CHECK(cropped.width == 3);
  CHECK(cropped.height == 2);
  CHECK(cropped.rgb == std::vector<std::uint8_t>{24, 25, 26, 27, 28, 29, 30, 31, 32, 42, 43, 44, 45,
                                                 46, 47, 48, 49, 50});
}

}  // namespace vllama::samples
