// How a stored picture is to be turned and mirrored so that it stands upright.
#pragma once

#include <cstdint>
#include <string_view>

#include "media/image.h"

namespace vllama::media {

// The axes are exchanged first (a mirror along the main diagonal), then left and right, then top
// and bottom. By default nothing changes. A clockwise quarter turn is {true, true, false}.
struct Orientation {
  bool swaps_axes = false;
  bool mirrors_x = false;  // left and right
  bool mirrors_y = false;  // top and bottom
  bool operator==(const Orientation&) const = default;
};

// A place in the stored picture, columns and rows from the top left.
struct Place {
  std::int64_t x, y;
};

// Where the pixel at (x, y) of the upright picture of this size is stored.
inline Place stored_place(Orientation orientation, FrameSize upright, std::int64_t x,
                          std::int64_t y) {
  if (orientation.mirrors_x) x = upright.width - 1 - x;
  if (orientation.mirrors_y) y = upright.height - 1 - y;
  return orientation.swaps_axes ? Place{y, x} : Place{x, y};
}

Image upright(Image stored, Orientation orientation);

// The orientation that the EXIF data of a JPEG, PNG or WebP, or the tags of a TIFF, name
// (EXIF 2.32, tag 274); none for data that are damaged or absent. `bytes` is the whole file.
Orientation exif_orientation(std::string_view bytes);

}  // namespace vllama::media
