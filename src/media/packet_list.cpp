#include "media/packet_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace vllama::media {
namespace {

// More frames than any real clip has (38 hours at 30 per second): the sample table is bogus.
constexpr std::size_t kMaxPackets = std::size_t{1} << 22;

// Fills display_index and file_index: packets sorted by time, those with equal times as in the
// file. A packet without any time follows the one before it.
void sort_for_display(PacketList& list, const std::vector<std::int64_t>& times) {
  list.file_index.resize(times.size());
  std::iota(list.file_index.begin(), list.file_index.end(), 0);
  std::stable_sort(list.file_index.begin(), list.file_index.end(),
                   [&](std::int64_t a, std::int64_t b) { return times[a] < times[b]; });
  for (std::size_t i = 0; i < times.size(); ++i)
    list.facts[list.file_index[i]].display_index = static_cast<std::int64_t>(i);
}

// How many frames a decoder must hold back to give them in display order: the most frames that come
// before some frame in the file and after it on the screen. Since both orders hold the same frames,
// that is the largest distance by which a frame moves forward.
std::int64_t reorder_depth(const std::vector<PacketFacts>& facts) {
  std::int64_t depth = 0;
  for (std::size_t i = 0; i < facts.size(); ++i)
    depth = std::max(depth, static_cast<std::int64_t>(i) - facts[i].display_index);
  return depth;
}

void mark_droppable(PacketList& list, const std::vector<PacketKind>& kinds) {
  std::int32_t highest_layer = 0;
  for (const PacketKind& kind : kinds) highest_layer = std::max(highest_layer, kind.temporal_layer);
  for (std::size_t i = 0; i < kinds.size(); ++i)
    list.facts[i].is_droppable =
        kinds[i].is_unreferenced && kinds[i].temporal_layer == highest_layer;
}

}  // namespace

PacketList read_packets(Input& input, const AVStream& stream, std::int64_t memory_bytes) {
  PacketList list;
  std::vector<PacketKind> kinds;
  std::vector<std::int64_t> times;
  PacketClassifier classify(*stream.codecpar);
  bool keeps_packets = true;
  std::int64_t num_bytes = 0, last_time = INT64_MIN;
  Packet packet = make_packet();
  while (input.read(*packet)) {
    if (list.facts.size() == kMaxPackets)
      throw MediaError(MediaFailure::corrupt,
                       fmt::format("'{}': has more than {} frames", input.name(), kMaxPackets));
    kinds.push_back(classify(*packet));
    list.facts.push_back({0, kinds.back().is_entry, false, kinds.back().shows_picture});
    if (packet->pts != AV_NOPTS_VALUE)
      last_time = packet->pts;
    else if (packet->dts != AV_NOPTS_VALUE)
      last_time = packet->dts;
    times.push_back(last_time);
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
  sort_for_display(list, times);
  mark_droppable(list, kinds);
  list.reorder_depth = reorder_depth(list.facts);
  if (!times.empty()) {
    const auto [first, last] = std::minmax_element(times.begin(), times.end());
    if (*first != INT64_MIN && *last > *first)
      list.display_seconds =
          (static_cast<double>(*last) - static_cast<double>(*first)) * av_q2d(stream.time_base);
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
