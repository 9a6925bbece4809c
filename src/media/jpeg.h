// JPEG pictures by libjpeg, whose pixels are the reference: FFmpeg's transform and chroma
// interpolation differ from it by up to 21 levels.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "media/image.h"

namespace vllama::media {

// Decodes a whole JPEG file: baseline or progressive; grey, YCbCr, RGB, CMYK or YCCK (stored
// inverted, as Adobe does). `name` stands for it in messages. Throws MediaError corrupt, also when
// the data end before the picture does.
Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name);

}  // namespace vllama::media
