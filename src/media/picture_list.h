// The pictures of a clip: as they are coded, in the order of the file, and as they are shown, each
// at its time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "media/packet_list.h"

namespace vllama::media {

// One packet, or the two that hold the fields of one picture.
struct CodedPicture {
  std::int64_t first_packet = 0, num_packets = 1;
  std::int64_t display_index = 0;  // place among all coded pictures in the order of presentation
  bool is_entry = false;           // see PacketKind
  bool is_droppable = false;       // no other picture of the clip refers to it
  bool is_shown = true;            // at some time
};

struct ShownPicture {
  std::int64_t coded = 0;    // number of the coded picture that is seen
  double seconds = 0;        // when, on the file's time line
  bool is_replaced = false;  // it stands in for one that is known not to decode
};

struct PictureList {
  std::vector<CodedPicture> coded;  // in the order of the file
  std::vector<ShownPicture> shown;  // in the order of presentation, which is that of their times
  double end_seconds = 0;           // when the last picture is no longer shown
  std::int64_t reorder_depth = 0;  // most pictures that are decoded before, but shown after another

  // The number of the coded picture that a packet belongs to.
  std::int64_t coded_picture(std::int64_t packet) const;
  bool has_joined_fields() const;
};

// What a container tells about time.
struct Timing {
  AVRational time_base{0, 1};
  double zero_seconds = 0;        // see Input
  double frames_per_second = 25;  // where packets do not tell their times
  // Every packet has its time of 1 / rate, in the order of the file, and packets that are left out
  // take theirs, too: AVI.
  bool has_slots = false;
  bool has_times = true;      // false for bare streams of a codec
  bool may_lack_key = false;  // the file may be a piece of a broadcast, which begins anywhere
  bool is_reordered = true;   // false where pictures are shown in the order of decoding
};

// What a decoder makes of a clip, or of its beginning.
struct DecodedOrder {
  struct Picture {
    std::int64_t coded = 0;  // which one
    std::int64_t sent = 0;   // the coded picture that was sent last when it came out
  };
  std::vector<Picture> pictures;  // in the order of the decoder's output, each once
  std::int64_t delay = 0;         // coded pictures that the decoder holds back
  bool had_errors = false;
};

// Decodes the first `num_coded` pictures of a list, of which the packets are known.
using DecodeBeginning =
    std::function<DecodedOrder(const PictureList& list, std::int64_t num_coded)>;

// The pictures that a player shows. In most clips they are the packets sorted by their times of
// presentation. Fields of one picture count once. What an edit list hides, frames that are only
// referred to, and pictures at the beginning that cannot be decoded because what they refer to was
// cut off, do not count. Packets that show nothing at their time (MPEG-4 "not coded" pictures,
// empty packets) show the picture before. Decodes the beginning where it is not clean, and all of
// the clip where packets have no times of presentation: then the order is that in which the decoder
// gives the pictures. Throws MediaError corrupt for absurd numbers of pictures.
PictureList list_pictures(const PacketList& packets, const Timing& timing,
                          const DecodeBeginning& decode);

}  // namespace vllama::media
