// The compressed frames of a clip's video stream: read once, kept or read again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "media/file_range.h"
#include "media/input.h"
#include "media/packet_kind.h"

namespace vllama::media {

struct PacketFacts {
  PacketKind kind;
  // When its picture is shown, and when it is decoded, in units of the stream; AV_NOPTS_VALUE where
  // the file does not tell.
  std::int64_t shown_at = 0, decoded_at = 0;
  std::int64_t duration = 0;  // 0: not told
  bool is_key = false;        // as the file says
  bool is_hidden = false;     // an edit list hides its picture
};

struct PacketList {
  std::string name;                // of the file, for messages
  std::vector<PacketFacts> facts;  // in the order of the file, which is decoding order
  std::vector<Packet> packets;     // in that order; empty if they were too many
  bool is_encrypted = false;
};

// More frames than any real clip has (38 hours at 30 per second): a sample table that says so is
// bogus.
inline constexpr std::size_t kMaxPackets = std::size_t{1} << 22;

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
