#include "samples/resize_image.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "core/error.h"

namespace vllama::samples {
namespace {

constexpr std::int64_t kChannels = 3;
constexpr int kFractionBits = 22;

double cubic_weight(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

// The input places [first, first + weights.size()) that make up one output place.
struct Window {
  std::int64_t first;
  std::vector<std::int32_t> weights;  // in units of 2^-22
};

std::vector<Window> windows_of(std::int64_t input_size, std::int64_t output_size) {
  const double scale = static_cast<double>(input_size) / static_cast<double>(output_size);
  const double widening = std::max(scale, 1.0);
  const double support = 2.0 * widening;
  std::vector<Window> windows;
  std::vector<double> weights;
  for (std::int64_t i = 0; i < output_size; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(center - support + 0.5), 0);
    const auto end = std::min(static_cast<std::int64_t>(center + support + 0.5), input_size);
    weights.clear();
    double sum = 0;
    for (std::int64_t x = first; x < end; ++x) {
      const double offset = static_cast<double>(x) - center + 0.5;
      weights.push_back(cubic_weight(offset * (1.0 / widening)));
      sum += weights.back();
    }
    Window& window = windows.emplace_back(Window{first, {}});
    for (const double weight : weights) {
      const double share = (sum != 0.0 ? weight / sum : weight) * (1 << kFractionBits);
      window.weights.push_back(static_cast<std::int32_t>(share < 0 ? share - 0.5 : share + 0.5));
    }
  }
  return windows;
}

constexpr std::int32_t kOneHalf = 1 << (kFractionBits - 1);

std::uint8_t to_pixel(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

media::Image resize_rows(const media::Image& image, std::int64_t width) {
  if (width == image.width) return image;
  media::Image resized{width, image.height, {}};
  resized.rgb.resize(static_cast<std::size_t>(width * image.height * kChannels));
  const std::vector<Window> windows = windows_of(image.width, width);
  std::uint8_t* output = resized.rgb.data();
  for (std::int64_t y = 0; y < image.height; ++y) {
    const std::uint8_t* row = image.rgb.data() + y * image.width * kChannels;
    for (const Window& window : windows) {
      std::int32_t red = kOneHalf, green = kOneHalf, blue = kOneHalf;
      const std::uint8_t* pixel = row + window.first * kChannels;
      for (const std::int32_t weight : window.weights) {
        red += pixel[0] * weight;
        green += pixel[1] * weight;
        blue += pixel[2] * weight;
        pixel += kChannels;
      }
      *output++ = to_pixel(red);
      *output++ = to_pixel(green);
      *output++ = to_pixel(blue);
    }
  }
  return resized;
}

media::Image resize_columns(const media::Image& image, std::int64_t height) {
  if (height == image.height) return image;
  media::Image resized{image.width, height, {}};
  const std::int64_t row_length = image.width * kChannels;
  resized.rgb.resize(static_cast<std::size_t>(height * row_length));
  std::vector<std::int32_t> sums(static_cast<std::size_t>(row_length));
  std::uint8_t* output = resized.rgb.data();
  for (const Window& window : windows_of(image.height, height)) {
    std::fill(sums.begin(), sums.end(), kOneHalf);
    const std::uint8_t* row = image.rgb.data() + window.first * row_length;
    for (const std::int32_t weight : window.weights) {
      for (std::int64_t i = 0; i < row_length; ++i)
        sums[static_cast<std::size_t>(i)] += row[i] * weight;
      row += row_length;
    }
    output = std::transform(sums.begin(), sums.end(), output, to_pixel);
  }
  return resized;
}

}  // namespace

media::Image resize_image(const media::Image& image, std::int64_t width, std::int64_t height) {
  VLLAMA_ASSERT(image.width >= 1 && image.height >= 1 && width >= 1 && height >= 1,
                "images have at least one pixel");
  // Rounding between the passes makes their order visible. This is the rule of Pillow 13: the
  // vertical pass comes first where it removes more than twice what the horizontal one does.
  const std::int64_t num_rows_less = image.height - height, num_columns_less = image.width - width;
  if (num_rows_less > 0 && num_rows_less > 2 * num_columns_less)
    return resize_rows(resize_columns(image, height), width);
  return resize_columns(resize_rows(image, width), height);
}

media::Image crop_image(const media::Image& image, const CropBox& box) {
  VLLAMA_ASSERT(box.top >= 0 && box.left >= 0 && box.height >= 1 && box.width >= 1 &&
                    box.top + box.height <= image.height && box.left + box.width <= image.width,
                "a crop box must lie inside the image");
  media::Image cropped{box.width, box.height, {}};
  const auto row_length = static_cast<std::size_t>(box.width * kChannels);
  cropped.rgb.resize(static_cast<std::size_t>(box.height) * row_length);
  for (std::int64_t y = 0; y < box.height; ++y)
    std::memcpy(cropped.rgb.data() + static_cast<std::size_t>(y) * row_length,
                image.rgb.data() + ((box.top + y) * image.width + box.left) * kChannels,
                row_length);
  return cropped;
}

}  // namespace vllama::samples
