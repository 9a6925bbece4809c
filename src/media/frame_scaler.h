// From a decoder's picture to RGB at the size of the model, in one step of libswscale.
#pragma once

#include <cstdint>
#include <optional>

#include "media/ffmpeg.h"
#include "media/image.h"

namespace vllama::media {

enum class Interpolation { bilinear, bicubic };

class FrameScaler {
 public:
  // `clockwise_degrees` is 0, 90, 180 or 270.
  FrameScaler(Interpolation interpolation, std::int64_t clockwise_degrees)
      : interpolation_(interpolation), clockwise_degrees_(clockwise_degrees) {}

  // Rotates, then scales and converts with the colour matrix and range that the frame is tagged
  // with (BT.601 when it is not). Without `size`, the frame's own size after rotation. Throws
  // MediaError unsupported_codec for a pixel format that libswscale does not read.
  Image operator()(const AVFrame& frame, std::optional<FrameSize> size);

 private:
  struct Conversion {
    int source_width, source_height, source_format, colour_space, is_full_range;
    int width, height;
    bool operator==(const Conversion&) const = default;
  };
  // The picture as RGB24 in output_.
  void convert(const AVFrame& frame, int width, int height);
  void prepare(const Conversion& conversion);

  Interpolation interpolation_;
  std::int64_t clockwise_degrees_;
  Conversion conversion_{};
  Scaler scaler_;
  Frame output_;
};

// A picture turned clockwise by 90, 180 or 270 degrees, in a pixel format that libswscale treats
// like the frame's own; null for formats that cannot be turned plane by plane.
Frame rotated(const AVFrame& frame, std::int64_t clockwise_degrees);

}  // namespace vllama::media
