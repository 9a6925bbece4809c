#include "media/packet_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vllama::media {

PacketList read_packets(Input& input, const AVStream& stream, std::int64_t memory_bytes) {
  PacketList list;
  list.name = input.name();
  PacketClassifier classify(*stream.codecpar);
  bool keeps_packets = true;
  std::int64_t num_bytes = 0;
  Packet packet = make_packet();
  while (input.read(*packet)) {
    if (list.facts.size() == kMaxPackets)
      throw MediaError(MediaFailure::corrupt,
                       fmt::format("'{}': has more than {} frames", input.name(), kMaxPackets));
    list.facts.push_back({.kind = classify(*packet),
                          .shown_at = packet->pts,
                          .decoded_at = packet->dts,
                          .duration = std::max<std::int64_t>(packet->duration, 0),
                          .is_key = (packet->flags & AV_PKT_FLAG_KEY) != 0,
                          .is_hidden = (packet->flags & AV_PKT_FLAG_DISCARD) != 0});
    list.is_encrypted =
        list.is_encrypted ||
        av_packet_get_side_data(packet.get(), AV_PKT_DATA_ENCRYPTION_INFO, nullptr) != nullptr;
    num_bytes += packet->size;
    keeps_packets = keeps_packets && num_bytes <= memory_bytes;
    if (keeps_packets)
      list.packets.push_back(std::exchange(packet, make_packet()));
    else
      list.packets.clear();
  }
  return list;
}

PacketSource::PacketSource(const PacketList& list, const FileRange& file, const Deadline& deadline)
    : list_(list), packet_(make_packet()) {
  if (!list.packets.empty()) return;
  input_.emplace(file, deadline);
  input_->select_stream(AVMEDIA_TYPE_VIDEO);
}

const AVPacket& PacketSource::at(std::int64_t index) {
  if (!input_) return *list_.packets[index];
  for (; next_ <= index; ++next_)
    if (!input_->read(*packet_))
      throw MediaError(MediaFailure::corrupt,
                       fmt::format("'{}': changed while it was read", input_->name()));
  return *packet_;
}

}  // namespace vllama::media
