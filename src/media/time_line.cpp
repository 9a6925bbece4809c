#include "media/time_line.h"

#include <algorithm>
#include <utility>

namespace vllama::media {
namespace {

// Decoding times grow within a recording, apart from small errors; times of presentation go back
// where pictures are reordered. A stretch without any packet that is longer than the gap is no
// pause, but another clock. FFmpeg's program draws the same lines.
constexpr std::int64_t kSmallStepBack = AV_TIME_BASE / 10;
constexpr std::int64_t kReordering = AV_TIME_BASE * std::int64_t{2};
constexpr std::int64_t kLongestGap = AV_TIME_BASE * std::int64_t{10};

// The first picture of a part that is shown is among its first packets: no codec reorders further.
constexpr std::int64_t kReorderedPackets = 17;
// A part is not waited for longer than this: one of its streams may have ended for good.
constexpr std::size_t kMaxHeldPackets = 512;
constexpr std::int64_t kMaxHeldBytes = std::int64_t{64} << 20;

void lower(std::int64_t& smallest, std::int64_t value) {
  if (smallest == AV_NOPTS_VALUE || value < smallest) smallest = value;
}

std::int64_t microseconds(std::int64_t time, AVRational time_base) {
  return av_rescale_q(time, time_base, AV_TIME_BASE_Q);
}

}  // namespace

TimeLine::TimeLine(const std::vector<const AVStream*>& streams, bool may_jump_forward)
    : may_jump_forward_(may_jump_forward) {
  for (const AVStream* stream : streams)
    streams_.push_back({.index = stream->index, .time_base = stream->time_base});
}

bool TimeLine::is_shared_pause(const Stream& stream, std::int64_t now) const {
  return std::any_of(streams_.begin(), streams_.end(), [&](const Stream& other) {
    const std::int64_t last = std::max(other.last_decoding, other.last_shown);
    return &other != &stream && other.part == stream.part && last != AV_NOPTS_VALUE &&
           av_sat_sub64(now, microseconds(last, other.time_base)) <= kLongestGap;
  });
}

bool TimeLine::has_jumped(const Stream& stream, const AVPacket& packet) const {
  const bool is_first =
      stream.last_decoding == AV_NOPTS_VALUE && stream.last_shown == AV_NOPTS_VALUE;
  // A stream that begins late begins in the part that is read.
  if (is_first) return stream.part < newest_part();
  const bool by_decoding = packet.dts != AV_NOPTS_VALUE && stream.last_decoding != AV_NOPTS_VALUE;
  const std::int64_t time = by_decoding ? packet.dts : packet.pts;
  const std::int64_t last = by_decoding ? stream.last_decoding : stream.last_shown;
  if (time == AV_NOPTS_VALUE || last == AV_NOPTS_VALUE) return false;
  const std::int64_t now = microseconds(time, stream.time_base);
  const std::int64_t step = av_sat_sub64(now, microseconds(last, stream.time_base));
  if (step < -(by_decoding ? kSmallStepBack : kReordering)) return true;
  return may_jump_forward_ && step > kLongestGap && !is_shared_pause(stream, now);
}

void TimeLine::begin_part(Stream& stream) {
  if (has_open_part_ && stream.part == moves_.size()) settle();
  const auto moved = [&](std::int64_t end) {
    return end == AV_NOPTS_VALUE
               ? end
               : av_sat_add64(microseconds(end, stream.time_base), moves_[stream.part]);
  };
  stream.decoding_end_before = moved(stream.decoding_end);
  stream.shown_end_before = moved(stream.shown_end);
  stream.num_packets = 0;
  stream.last_decoding = stream.last_shown = AV_NOPTS_VALUE;
  stream.first_decoding = stream.first_shown = AV_NOPTS_VALUE;
  stream.decoding_end = stream.shown_end = AV_NOPTS_VALUE;
  // The other streams may have come to the newest part already.
  const std::size_t newest = newest_part();
  has_open_part_ = has_open_part_ || stream.part == newest;
  stream.part = stream.part == newest ? newest + 1 : newest;
}

void TimeLine::note(Stream& stream, const AVPacket& packet) {
  const std::int64_t duration = std::max<std::int64_t>(packet.duration, 0);
  ++stream.num_packets;
  if (packet.dts != AV_NOPTS_VALUE) {
    stream.last_decoding = packet.dts;
    lower(stream.first_decoding, packet.dts);
    stream.decoding_end = std::max(stream.decoding_end, av_sat_add64(packet.dts, duration));
  }
  stream.lacks_times = stream.lacks_times || packet.pts == AV_NOPTS_VALUE;
  if (packet.pts != AV_NOPTS_VALUE) {
    stream.last_shown = packet.pts;
    lower(stream.first_shown, packet.pts);
    stream.shown_end = std::max(stream.shown_end, av_sat_add64(packet.pts, duration));
  }
}

void TimeLine::push(AVPacket& packet) {
  const auto stream = std::find_if(streams_.begin(), streams_.end(), [&](const Stream& one) {
    return one.index == packet.stream_index;
  });
  if (stream == streams_.end()) return av_packet_unref(&packet);
  if (has_jumped(*stream, packet)) begin_part(*stream);
  note(*stream, packet);
  held_bytes_ += packet.size;
  held_.push_back(
      {make_packet(), static_cast<std::size_t>(stream - streams_.begin()), stream->part});
  av_packet_move_ref(held_.back().packet.get(), &packet);
}

bool TimeLine::may_settle() const {
  if (has_ended_ || held_.size() >= kMaxHeldPackets || held_bytes_ >= kMaxHeldBytes) return true;
  return std::all_of(streams_.begin(), streams_.end(), [&](const Stream& stream) {
    const bool decides = &stream == &streams_.front();
    return stream.part == moves_.size() && stream.num_packets >= (decides ? kReorderedPackets : 1);
  });
}

std::int64_t TimeLine::move_of(const Stream& stream) {
  const auto move = [&](std::int64_t end, std::int64_t first) {
    if (end == AV_NOPTS_VALUE || first == AV_NOPTS_VALUE) return AV_NOPTS_VALUE;
    return av_sat_sub64(end, microseconds(first, stream.time_base));
  };
  const std::int64_t shown = move(stream.shown_end_before, stream.first_shown);
  if (!stream.lacks_times) return shown;
  return std::max(shown, move(stream.decoding_end_before, stream.first_decoding));
}

void TimeLine::settle() {
  std::int64_t chosen = AV_NOPTS_VALUE;
  for (const Stream& stream : streams_)
    if (stream.part == moves_.size() && chosen == AV_NOPTS_VALUE) chosen = move_of(stream);
  moves_.push_back(chosen == AV_NOPTS_VALUE ? moves_.back() : chosen);
  has_open_part_ = false;
}

bool TimeLine::pop(AVPacket& packet) {
  if (held_.empty()) return false;
  if (held_.front().part == moves_.size()) {
    if (!may_settle()) return false;
    settle();
  }
  const Held next = std::move(held_.front());
  held_.pop_front();
  av_packet_unref(&packet);
  av_packet_move_ref(&packet, next.packet.get());
  held_bytes_ -= packet.size;
  const std::int64_t move =
      av_rescale_q(moves_[next.part], AV_TIME_BASE_Q, streams_[next.stream].time_base);
  for (std::int64_t* time : {&packet.pts, &packet.dts})
    if (*time != AV_NOPTS_VALUE) *time = av_sat_add64(*time, move);
  return true;
}

}  // namespace vllama::media
