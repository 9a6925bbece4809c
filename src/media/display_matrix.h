// What containers say about how pictures are to be turned, and turning a decoder's picture.
#pragma once

#include "media/ffmpeg.h"
#include "media/orientation.h"

namespace vllama::media {

// As the header's display matrix says, else the old tag `rotate`. Angles between quarter turns
// count as none.
Orientation display_orientation(const AVStream& stream);

// The same of a picture whose own bytes say it (H.264 and HEVC's SEI, EXIF data of MJPEG).
Orientation display_orientation(const AVFrame& frame);

// The upright picture, in a pixel format that libswscale treats like the frame's own; null for
// formats that cannot be turned plane by plane.
Frame upright(const AVFrame& frame, Orientation orientation);

}  // namespace vllama::media
