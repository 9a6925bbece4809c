// What the bytes of a compressed frame tell without decoding it: where decoding may start, which
// frames no other frame needs, and what is half a picture or none.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "media/ffmpeg.h"
#include "media/picture_count.h"

namespace vllama::media {

// Whether a packet holds one field (every second line) of a picture alone: the first of two that
// make a picture, or the one that completes the packet before.
enum class Field { none, first, second };

struct PacketKind {
  // Decoding may start here: this frame and all that follow it both in the file and on the screen
  // need nothing from before.
  bool is_entry = false;
  // No other frame refers to this one (or only frames of a higher temporal layer do).
  bool is_unreferenced = false;
  std::int32_t temporal_layer = 0;  // HEVC
  int num_pictures = 1;             // see PictureCounter
  bool is_never_shown = false;      // a hidden frame of VP8, VP9 or AV1, a header of Theora
  Field field = Field::none;        // H.264
};

// Looks at the packets of one stream, in the order of the file. When in doubt it says "no entry,
// referenced", which costs time and never a wrong picture.
class PacketClassifier {
 public:
  explicit PacketClassifier(const AVCodecParameters& parameters);
  PacketKind operator()(const AVPacket& packet);

 private:
  PacketKind nal_kind(const AVPacket& packet);
  void parse(const AVPacket& packet);

  const AVCodecParameters& parameters_;
  bool is_intra_only_ = false;
  int nal_length_bytes_ = 0;              // 0: start codes (ITU-T H.264 annex B)
  std::set<std::string> parameter_sets_;  // those that were sent among the frames so far
  bool has_changed_state_ = false;
  PictureCounter count_pictures_;
  CodecContext parser_context_;
  CodecParser parser_;
};

}  // namespace vllama::media
