// What the bytes of a compressed frame tell without decoding it: where decoding may start, and
// which frames no other frame needs.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "media/ffmpeg.h"

namespace vllama::media {

struct PacketKind {
  // Decoding may start here: this frame and all that follow it both in the file and on the screen
  // need nothing from before.
  bool is_entry = false;
  // No other frame refers to this one (or only frames of a higher temporal layer do).
  bool is_unreferenced = false;
  // False for frames that are only referred to, and for empty packets.
  bool shows_picture = true;
  std::int32_t temporal_layer = 0;  // HEVC
};

// Looks at the packets of one stream, in the order of the file. When in doubt it says "no entry,
// referenced", which costs time and never a wrong picture.
class PacketClassifier {
 public:
  explicit PacketClassifier(const AVCodecParameters& parameters);
  PacketKind operator()(const AVPacket& packet);

 private:
  PacketKind nal_kind(const AVPacket& packet);
  PacketKind parsed_kind(const AVPacket& packet);

  const AVCodecParameters& parameters_;
  bool is_intra_only_ = false;
  int nal_length_bytes_ = 0;              // 0: start codes (ITU-T H.264 annex B)
  std::set<std::string> parameter_sets_;  // those that were sent among the frames so far
  bool has_changed_state_ = false;
  CodecContext parser_context_;
  CodecParser parser_;
};

}  // namespace vllama::media
