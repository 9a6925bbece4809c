#include "samples/crop.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/error.h"

// One fused multiply-add rounds once. Both versions of a function give the same bits; the first
// uses the instruction, the second a library call on processors that have none. What chooses
// between them runs before a sanitizer is ready for it.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VLLAMA_FUSED_VERSIONS __attribute__((target_clones("fma", "default")))
#else
#define VLLAMA_FUSED_VERSIONS
#endif

namespace vllama::samples {
namespace {

constexpr int kNumTaps = 4;
constexpr std::int64_t kChannels = 3;
constexpr std::int64_t kLanes = 4;  // of the vectors that hold one pixel
constexpr float kSharpness = -0.75F;

// The four input places and their weights for one output place.
struct Taps {
  std::array<std::int64_t, kNumTaps> index;
  std::array<float, kNumTaps> weight;
};

// Cubic convolution for distances in [0, 1] and [1, 2].
float near_weight(float x) {
  return std::fmaf(kSharpness + 2, x, -(kSharpness + 3)) * x * x + 1.0F;
}

float far_weight(float x) {
  const float inner = std::fmaf(kSharpness, x, -5 * kSharpness);
  return std::fmaf(inner, x, 8 * kSharpness) * x - 4 * kSharpness;
}

std::vector<Taps> taps_of(std::int64_t input_size, std::int64_t output_size) {
  const float scale = static_cast<float>(input_size) / static_cast<float>(output_size);
  std::vector<Taps> taps(static_cast<std::size_t>(output_size));
  for (std::int64_t i = 0; i < output_size; ++i) {
    const float position = std::fmaf(scale, static_cast<float>(i) + 0.5F, -0.5F);
    const auto below = static_cast<std::int64_t>(std::floor(position));
    const float ahead = position - static_cast<float>(below);
    const float behind = 1.0F - ahead;
    Taps& tap = taps[static_cast<std::size_t>(i)];
    tap.weight = {far_weight(ahead + 1.0F), near_weight(ahead), near_weight(behind),
                  far_weight(behind + 1.0F)};
    for (int k = 0; k < kNumTaps; ++k)
      tap.index[static_cast<std::size_t>(k)] =
          std::clamp<std::int64_t>(below + k - 1, 0, input_size - 1);
  }
  return taps;
}

// Inlined everywhere, because only then each version of its callers gets its own.
[[gnu::always_inline]] inline float weighted_sum(float v0, float v1, float v2, float v3, float w0,
                                                 float w1, float w2, float w3) {
  return __builtin_fmaf(v3, w3, __builtin_fmaf(v2, w2, __builtin_fmaf(v0, w0, v1 * w1)));
}

// `pixels` has kLanes floats per pixel, `stretched` kChannels. Each pixel is written with all
// lanes, and the next one overwrites the lane too many: `stretched` has room for one more value.
VLLAMA_FUSED_VERSIONS
void stretch_row(const float* __restrict pixels, const Taps* taps, std::int64_t size,
                 float* __restrict stretched) {
  for (std::int64_t x = 0; x < size; ++x) {
    const std::int64_t* index = taps[x].index.data();
    const float* weight = taps[x].weight.data();
    const float* v0 = pixels + index[0] * kLanes;
    const float* v1 = pixels + index[1] * kLanes;
    const float* v2 = pixels + index[2] * kLanes;
    const float* v3 = pixels + index[3] * kLanes;
    for (std::int64_t lane = 0; lane < kLanes; ++lane)
      stretched[x * kChannels + lane] = weighted_sum(v0[lane], v1[lane], v2[lane], v3[lane],
                                                     weight[0], weight[1], weight[2], weight[3]);
  }
}

VLLAMA_FUSED_VERSIONS
void blend_rows(const float* __restrict row0, const float* __restrict row1,
                const float* __restrict row2, const float* __restrict row3, const float* weight,
                std::int64_t count, std::uint8_t* __restrict blended) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = weighted_sum(row0[i], row1[i], row2[i], row3[i], weight[0], weight[1],
                                     weight[2], weight[3]);
    const float clamped = value > 0.0F ? (value < 255.0F ? value : 255.0F) : 0.0F;
    blended[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(clamped));
  }
}

// The same without the clamp: overshoot stays within a few hundred, and its lowest byte is kept.
VLLAMA_FUSED_VERSIONS
void blend_rows_and_wrap(const float* __restrict row0, const float* __restrict row1,
                         const float* __restrict row2, const float* __restrict row3,
                         const float* weight, std::int64_t count,
                         std::uint8_t* __restrict blended) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = weighted_sum(row0[i], row1[i], row2[i], row3[i], weight[0], weight[1],
                                     weight[2], weight[3]);
    blended[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(value));
  }
}

void spread_row(const std::uint8_t* row, std::int64_t width, float* pixels) {
  for (std::int64_t x = 0; x < width; ++x)
    for (std::int64_t channel = 0; channel < kChannels; ++channel)
      pixels[x * kLanes + channel] = row[x * kChannels + channel];
}

CropBox largest_centred_box(std::int64_t height, std::int64_t width, double min_ratio,
                            double max_ratio) {
  CropBox box{0, 0, height, width};
  const double ratio = static_cast<double>(width) / static_cast<double>(height);
  if (ratio < min_ratio)
    box.height = std::llrint(static_cast<double>(width) / min_ratio);
  else if (ratio > max_ratio)
    box.width = std::llrint(static_cast<double>(height) * max_ratio);
  box.top = (height - box.height) / 2;
  box.left = (width - box.width) / 2;
  return box;
}

}  // namespace

CropBox draw_crop(std::int64_t height, std::int64_t width, CropScale scale, RandomStream& stream) {
  VLLAMA_ASSERT(height >= 1 && width >= 1, "an empty picture cannot be cropped");
  constexpr int kNumTries = 10;
  constexpr double kMinRatio = 3.0 / 4.0, kMaxRatio = 4.0 / 3.0;
  const double whole_area = static_cast<double>(height) * static_cast<double>(width);
  for (int i = 0; i < kNumTries; ++i) {
    const double area = whole_area * stream.uniform(scale.min, scale.max);
    const double ratio = std::exp(stream.uniform(std::log(kMinRatio), std::log(kMaxRatio)));
    CropBox box{.height = std::llrint(std::sqrt(area / ratio)),
                .width = std::llrint(std::sqrt(area * ratio))};
    if (box.width < 1 || box.width > width || box.height < 1 || box.height > height) continue;
    box.top = static_cast<std::int64_t>(
        stream.below(static_cast<std::uint64_t>(height - box.height) + 1));
    box.left =
        static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(width - box.width) + 1));
    return box;
  }
  return largest_centred_box(height, width, kMinRatio, kMaxRatio);
}

void crop_and_resize_frame(std::span<const std::uint8_t> frame, std::int64_t frame_width,
                           const CropBox& box, std::int64_t size, std::span<std::uint8_t> resized,
                           Overshoot overshoot) {
  const auto frame_height = static_cast<std::int64_t>(frame.size()) / (frame_width * kChannels);
  VLLAMA_ASSERT(box.top >= 0 && box.left >= 0 && box.height >= 1 && box.width >= 1 &&
                    box.top + box.height <= frame_height && box.left + box.width <= frame_width,
                "a crop box must lie inside the frame");
  VLLAMA_ASSERT(
      static_cast<std::int64_t>(resized.size()) == size * size * kChannels,
      fmt::format("a resized frame of {0} x {0} pixels has not {1} bytes", size, resized.size()));
  const std::vector<Taps> columns = taps_of(box.width, size);
  const std::vector<Taps> rows = taps_of(box.height, size);
  const std::int64_t row_length = size * kChannels;
  std::vector<float> pixels(static_cast<std::size_t>(box.width * kLanes));
  std::vector<float> stretched(static_cast<std::size_t>(box.height * row_length + 1));
  for (std::int64_t y = 0; y < box.height; ++y) {
    spread_row(frame.data() + ((box.top + y) * frame_width + box.left) * kChannels, box.width,
               pixels.data());
    stretch_row(pixels.data(), columns.data(), size, stretched.data() + y * row_length);
  }
  for (std::int64_t y = 0; y < size; ++y) {
    const auto& [index, weight] = rows[static_cast<std::size_t>(y)];
    (overshoot == Overshoot::clamp ? blend_rows : blend_rows_and_wrap)(
        stretched.data() + index[0] * row_length, stretched.data() + index[1] * row_length,
        stretched.data() + index[2] * row_length, stretched.data() + index[3] * row_length,
        weight.data(), row_length, resized.data() + y * row_length);
  }
}

}  // namespace vllama::samples
