// Pictures as JPEG: small, for reports.
#pragma once

#include <string>

#include "media/image.h"

namespace vllama::media {

// The bytes of a baseline JPEG file, `quality` from 1 to 100. The picture must have at least one
// pixel and at most 65,500 on a side.
std::string encode_jpeg(const Image& image, int quality);

}  // namespace vllama::media
