// Pictures as PNG: lossless, for people to look at.
#pragma once

#include <filesystem>
#include <string>

#include "media/image.h"

namespace vllama::media {

// The bytes of a PNG file (8-bit RGB) that read_image turns back into the same pixels. The picture
// must have at least one pixel.
std::string encode_png(const Image& image);

// The same as a file that appears whole or not at all. Throws RunFailure naming the path.
void write_png(const Image& image, const std::filesystem::path& path);

}  // namespace vllama::media
