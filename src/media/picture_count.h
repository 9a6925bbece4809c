// How many pictures the decoder makes of a packet, as its bytes tell: most packets bring one, some
// none, and some old files pack two together.
#pragma once

#include <cstdint>
#include <span>

#include "media/ffmpeg.h"

namespace vllama::media {

// Looks at the packets of one stream, in the order of the file.
class PictureCounter {
 public:
  explicit PictureCounter(const AVCodecParameters& parameters);
  // 0: an empty packet, an MPEG-4 "not coded" picture, a VP8, VP9 or AV1 frame that is only
  // referred to, a header between the pictures of Theora. 2: an MPEG-4 "packed bitstream". 1 for
  // all others, and when in doubt.
  int operator()(std::span<const std::uint8_t> packet);

 private:
  int count_mpeg4(std::span<const std::uint8_t> packet);

  AVCodecID codec_;
  int time_bits_ = 0;  // of MPEG-4, from the latest header; 0: no header yet
};

}  // namespace vllama::media
