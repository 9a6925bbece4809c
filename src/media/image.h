// Pictures as the models take them in: RGB, 8 bits, rows from top to bottom.
#pragma once

#include <cstdint>
#include <vector>

#include "media/file_range.h"

namespace vllama::media {

struct FrameSize {
  std::int64_t width, height;  // pixels
  bool operator==(const FrameSize&) const = default;
};

struct Image {
  std::int64_t width = 0, height = 0;  // pixels
  std::vector<std::uint8_t> rgb;       // [height, width, 3], row-major
};

enum class Turning {
  upright,    // as the file's EXIF data say
  as_stored,  // as the Python original does
};

// Reads a JPEG, PNG, WebP, BMP or GIF (its first frame) at its own size; the bytes decide the
// format, not the name. Grey is replicated, a palette applied, CMYK converted, 16 bits cut to the
// upper 8, alpha dropped. JPEG pixels are those of libjpeg with its accurate transform and smooth
// chroma, as Pillow gives them. Throws MediaError: not_found, empty, not_media, or corrupt, which
// includes a picture whose data end early.
Image read_image(const FileRange& file, Turning turning = Turning::upright);

}  // namespace vllama::media
