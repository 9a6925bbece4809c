// The compressed frames of a clip's video stream: read once, sorted for display, kept or read
// again.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "media/file_range.h"
#include "media/input.h"
#include "media/packet_kind.h"

namespace vllama::media {

struct PacketFacts {
  std::int64_t display_index = 0;  // place among all packets sorted by presentation time
  bool is_entry = false;           // see PacketKind
  bool is_droppable = false;       // no other frame of the clip refers to it
  bool shows_picture = true;
};

struct PacketList {
  std::vector<PacketFacts> facts;         // in the order of the file, which is decoding order
  std::vector<std::int64_t> file_index;   // of each display index
  std::vector<Packet> packets;            // in the order of the file; empty if they were too many
  std::optional<double> display_seconds;  // from the first to the last frame, where known
  bool is_encrypted = false;
  std::int64_t reorder_depth = 0;  // most frames that are decoded before, but shown after another
};

// Reads all packets of the selected stream; keeps them while they fit into `memory_bytes`.
PacketList read_packets(Input& input, const AVStream& stream, std::int64_t memory_bytes);

// The packets of a list by their place in the file: from memory, or read again.
class PacketSource {
 public:
  PacketSource(const PacketList& list, const FileRange& file, const Deadline& deadline);
  // `index` must grow from call to call. The packet lives until the next call.
  const AVPacket& at(std::int64_t index);

 private:
  const PacketList& list_;
  std::optional<Input> input_;
  Packet packet_;
  std::int64_t next_ = 0;
};

}  // namespace vllama::media
