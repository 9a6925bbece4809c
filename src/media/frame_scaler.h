// From a decoder's picture to RGB at the size of the model, in one step of libswscale.
#pragma once

#include <optional>

#include "media/ffmpeg.h"
#include "media/image.h"
#include "media/orientation.h"

namespace vllama::media {

enum class Interpolation {
  bilinear,
  bicubic,
  smooth_chroma,  // bilinear with interpolated chroma and exact rounding, for still pictures
};

class FrameScaler {
 public:
  FrameScaler(Interpolation interpolation, Orientation orientation)
      : interpolation_(interpolation), orientation_(orientation) {}

  // Turns upright, as the frame itself says where the header does not, then scales and converts
  // with the colour matrix and range that the frame is tagged with (BT.601 when it is not). Without
  // `size`, the frame's own size after turning. Throws MediaError unsupported_codec for a pixel
  // format that libswscale does not read.
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
  Orientation orientation_;
  Conversion conversion_{};
  Scaler scaler_;
  Frame output_;
};

}  // namespace vllama::media
