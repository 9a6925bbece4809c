// The augmentation of training clips: one random box for all frames, enlarged to the model's size.
#pragma once

#include <cstdint>
#include <span>

#include "core/random.h"

namespace vllama::samples {

// Rows [top, top + height) and columns [left, left + width) of a picture.
struct CropBox {
  std::int64_t top = 0, left = 0, height = 0, width = 0;
  bool operator==(const CropBox&) const = default;
};

// Which share of a picture's area a random box covers.
struct CropScale {
  double min = 0.5, max = 1.0;
};

// The box of torchvision's RandomResizedCrop with aspect ratios from 3/4 to 4/3: up to ten tries,
// then the largest centred box within these ratios. height, width >= 1.
CropBox draw_crop(std::int64_t height, std::int64_t width, CropScale scale, RandomStream& stream);

// Cuts `box` out of one frame and stretches it to size x size by cubic convolution (a = -0.75, edge
// pixels repeated, no antialiasing) in fp32; the result is clamped to [0, 255] and truncated, or
// with Overshoot::wrap truncated modulo 256 as the Python original does. `frame` is uint8
// [frame_width columns, 3 channels per row], `resized` uint8 [size, size, 3]. The roundings are
// those of PyTorch 2.11's upsample_bicubic2d on x86 with FMA, so that pixels equal those of the
// Python original.
enum class Overshoot { clamp, wrap };
void crop_and_resize_frame(std::span<const std::uint8_t> frame, std::int64_t frame_width,
                           const CropBox& box, std::int64_t size, std::span<std::uint8_t> resized,
                           Overshoot overshoot = Overshoot::clamp);

}  // namespace vllama::samples
