// Still images at the model's size, with the pixels that Pillow would give.
#pragma once

#include <cstdint>

#include "media/image.h"
#include "samples/crop.h"

namespace vllama::samples {

// Stretches an image to width x height by cubic interpolation (a = -0.5) that widens when it
// shrinks (antialiasing): Pillow's resampling, one pass per direction, weights in 22-bit fixed
// point, rounded and clipped to uint8 after each pass; the result equals Pillow 13's bit for bit.
media::Image resize_image(const media::Image& image, std::int64_t width, std::int64_t height);

// The pixels inside `box`, which must lie inside the image.
media::Image crop_image(const media::Image& image, const CropBox& box);

}  // namespace vllama::samples
