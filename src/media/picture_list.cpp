#include "media/picture_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <utility>

#include "media/error.h"

namespace vllama::media {
namespace {

constexpr std::int64_t kNobody = -1;

// Times are whole microseconds, so that those of equal moments are equal.
double rounded(double seconds) {
  return std::round(seconds * 1e6) / 1e6 + 0.0;  // no negative zero
}

class Listing {
 public:
  Listing(const PacketList& packets, const Timing& timing, const DecodeBeginning& decode)
      : name_(packets.name), packets_(packets.facts), timing_(timing), decode_(decode) {}

  PictureList operator()() {
    join_fields();
    mark_droppable();
    if (needs_decoding())
      show_as_decoded();
    else
      show_by_time();
    return std::move(list_);
  }

 private:
  // Numbers of coded pictures, if not said otherwise.
  using Numbers = std::vector<std::int64_t>;

  std::int64_t num_coded() const { return std::ssize(list_.coded); }
  const PacketFacts& first_packet(std::int64_t coded) const {
    return packets_[list_.coded[coded].first_packet];
  }
  const PacketFacts& last_packet(std::int64_t coded) const {
    return packets_[list_.coded[coded].first_packet + list_.coded[coded].num_packets - 1];
  }
  bool brings_picture(std::int64_t coded) const {
    return first_packet(coded).kind.num_pictures > 0;
  }
  bool is_shown(std::int64_t coded) const { return list_.coded[coded].is_shown; }
  // In floating point from the start: times and durations of damaged files may be absurd.
  double seconds_of(std::int64_t time, std::int64_t later_by = 0) const {
    return rounded((static_cast<double>(time) + static_cast<double>(later_by)) *
                       timing_.time_base.num / timing_.time_base.den -
                   timing_.zero_seconds);
  }

  void join_fields();
  void mark_droppable();
  std::int64_t time_of(std::int64_t coded) const;
  double end_of(std::int64_t coded, std::int64_t time) const;
  bool needs_decoding() const;
  void set_display_order(const Numbers& order);
  void show(std::int64_t coded, double seconds, bool is_replaced = false);

  void show_by_time();
  std::int64_t length_of_unclean_beginning() const;
  void hide_undecodable(std::int64_t num_coded);

  void show_as_decoded();
  void set_display_order(const DecodedOrder& decoded);
  void show_in_turn(const DecodedOrder& decoded);
  std::vector<double> times_in_turn(const Numbers& pictures) const;
  struct Slot {
    std::int64_t time, coded;
  };
  using Slots = std::vector<Slot>;
  Slots find_slots() const;
  void show_in_slots(const DecodedOrder& decoded);

  const std::string& name_;  // of the file, for messages
  const std::vector<PacketFacts>& packets_;
  const Timing& timing_;
  const DecodeBeginning& decode_;
  PictureList list_;
};

void Listing::join_fields() {
  bool awaits_second_field = false;
  for (std::size_t i = 0; i < packets_.size(); ++i) {
    const PacketFacts& packet = packets_[i];
    if (awaits_second_field && packet.kind.field == Field::second) {
      list_.coded.back().num_packets = 2;
      awaits_second_field = false;
      continue;
    }
    awaits_second_field = packet.kind.field != Field::none;
    const bool has_own_time = timing_.has_slots || !packet.kind.is_never_shown;
    list_.coded.push_back({.first_packet = static_cast<std::int64_t>(i),
                           .is_entry = packet.kind.is_entry,
                           .is_shown = has_own_time && !packet.is_hidden});
  }
}

void Listing::mark_droppable() {
  std::int32_t highest_layer = 0;
  for (const PacketFacts& packet : packets_)
    highest_layer = std::max(highest_layer, packet.kind.temporal_layer);
  const auto is_unreferenced = [&](const PacketKind& kind) {
    return kind.is_unreferenced && kind.temporal_layer == highest_layer;
  };
  for (std::int64_t i = 0; i < num_coded(); ++i)
    list_.coded[i].is_droppable =
        is_unreferenced(first_packet(i).kind) && is_unreferenced(last_packet(i).kind);
}

// When a picture is shown; its second field may know better than the first.
std::int64_t Listing::time_of(std::int64_t coded) const {
  for (const PacketFacts* packet : {&first_packet(coded), &last_packet(coded)})
    if (packet->shown_at != AV_NOPTS_VALUE) return packet->shown_at;
  return timing_.is_reordered ? AV_NOPTS_VALUE : first_packet(coded).decoded_at;
}

// When a picture that is shown at `time` is no longer.
double Listing::end_of(std::int64_t coded, std::int64_t time) const {
  double end = seconds_of(time) + 1 / timing_.frames_per_second;
  if (first_packet(coded).duration > 0) end = seconds_of(time, first_packet(coded).duration);
  const PacketFacts& second_field = last_packet(coded);
  if (list_.coded[coded].num_packets > 1 && second_field.shown_at != AV_NOPTS_VALUE)
    end = std::max(end, seconds_of(second_field.shown_at, second_field.duration));
  return end;
}

bool Listing::needs_decoding() const {
  if (!timing_.has_times) return true;
  for (std::int64_t i = 0; i < num_coded(); ++i) {
    const bool is_packed = first_packet(i).kind.num_pictures > 1;
    const bool lacks_time = brings_picture(i) && time_of(i) == AV_NOPTS_VALUE;
    if (is_packed || lacks_time) return true;
  }
  return false;
}

// Also finds how many pictures a decoder must hold back to give them in this order: the most that
// come before some picture in the file and after it on the screen. Since both orders hold the same
// pictures, that is the largest distance by which one moves forward.
void Listing::set_display_order(const Numbers& order) {
  list_.reorder_depth = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto place = static_cast<std::int64_t>(i);
    list_.coded[order[i]].display_index = place;
    list_.reorder_depth = std::max(list_.reorder_depth, order[i] - place);
  }
}

void Listing::show(std::int64_t coded, double seconds, bool is_replaced) {
  if (list_.shown.size() == kMaxPackets)
    throw MediaError(MediaFailure::corrupt,
                     fmt::format("'{}': has more than {} frames", name_, kMaxPackets));
  list_.shown.push_back({coded, seconds, is_replaced});
}

void Listing::show_by_time() {
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i < num_coded(); ++i) {
    // What shows nothing of its own may lack a time; it follows what stands before it.
    const std::int64_t time = time_of(i);
    times.push_back(time == AV_NOPTS_VALUE && i > 0 ? times.back() : time);
  }
  Numbers order(list_.coded.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](std::int64_t coded) { return times[coded]; });
  set_display_order(order);
  hide_undecodable(length_of_unclean_beginning());

  std::erase_if(order, [&](std::int64_t coded) { return !is_shown(coded); });
  const auto first =
      std::ranges::find_if(order, [&](std::int64_t coded) { return brings_picture(coded); });
  std::int64_t seen = first == order.end() ? kNobody : *first, last_time = 0;
  for (const std::int64_t coded : order) {
    if (timing_.has_slots && !list_.shown.empty())
      for (++last_time; last_time < times[coded]; ++last_time) show(seen, seconds_of(last_time));
    if (brings_picture(coded)) seen = coded;
    last_time = times[coded];
    show(seen == kNobody ? coded : seen, seconds_of(last_time));
    list_.end_seconds = std::max(list_.end_seconds, end_of(coded, last_time));
  }
}

// A clip begins cleanly with a key picture that is shown first. What comes in front of it, in the
// file or on the screen, may refer to pictures that were cut off.
std::int64_t Listing::length_of_unclean_beginning() const {
  std::int64_t key = 0;
  while (timing_.may_lack_key && key < num_coded() && !first_packet(key).is_key) ++key;
  if (key == num_coded()) return key;
  const bool is_clean = std::ranges::all_of(list_.coded, [&](const CodedPicture& picture) {
    return !picture.is_shown || picture.display_index >= list_.coded[key].display_index;
  });
  if (key == 0 && is_clean) return 0;
  do {
    ++key;
  } while (key < num_coded() && !first_packet(key).is_key);
  return key;
}

void Listing::hide_undecodable(std::int64_t num_coded) {
  if (num_coded == 0) return;
  std::vector<bool> is_decoded(static_cast<std::size_t>(num_coded), false);
  for (const auto& picture : decode_(list_, num_coded).pictures) is_decoded[picture.coded] = true;
  for (std::int64_t i = 0; i < num_coded; ++i)
    if (!is_decoded[i] && brings_picture(i)) list_.coded[i].is_shown = false;
}

void Listing::show_as_decoded() {
  const DecodedOrder decoded = decode_(list_, num_coded());
  set_display_order(decoded);
  const bool knows_slots =
      timing_.has_slots && std::ranges::none_of(packets_, [](const PacketFacts& packet) {
        return packet.decoded_at == AV_NOPTS_VALUE;
      });
  if (knows_slots)
    show_in_slots(decoded);
  else
    show_in_turn(decoded);
}

// Pictures that the decoder did not give stand behind those that precede them in the file.
void Listing::set_display_order(const DecodedOrder& decoded) {
  Numbers places(list_.coded.size(), kNobody);
  for (std::size_t i = 0; i < decoded.pictures.size(); ++i)
    places[decoded.pictures[i].coded] = static_cast<std::int64_t>(i);
  for (std::size_t i = 1; i < places.size(); ++i)
    if (places[i] == kNobody) places[i] = places[i - 1];
  Numbers order(list_.coded.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](std::int64_t coded) { return places[coded]; });
  set_display_order(order);
}

void Listing::show_in_turn(const DecodedOrder& decoded) {
  Numbers pictures;
  for (const auto& picture : decoded.pictures)
    if (is_shown(picture.coded)) pictures.push_back(picture.coded);
  const std::vector<double> times = times_in_turn(pictures);
  for (std::size_t i = 0; i < pictures.size(); ++i) show(pictures[i], rounded(times[i]));
  if (!times.empty()) list_.end_seconds = times.back() + 1 / timing_.frames_per_second;
}

// The times that packets tell, where they grow, and what lies evenly between them.
std::vector<double> Listing::times_in_turn(const Numbers& pictures) const {
  const double step = 1 / timing_.frames_per_second;
  std::vector<double> times;
  std::size_t num_known = 0;  // the last time that a packet told is that of times[num_known - 1]
  for (const std::int64_t coded : pictures) {
    const std::int64_t time = timing_.has_times ? time_of(coded) : AV_NOPTS_VALUE;
    times.push_back(times.empty() ? 0 : times.back() + step);
    if (time == AV_NOPTS_VALUE) continue;
    const double seconds = seconds_of(time);
    if (num_known > 0 && seconds <= times[num_known - 1]) continue;
    const std::size_t here = times.size() - 1;
    for (std::size_t i = num_known; i <= here; ++i) {
      const auto steps_left = static_cast<double>(here - i);
      times[i] = num_known == 0 ? seconds - steps_left * step
                                : seconds - (seconds - times[num_known - 1]) * steps_left /
                                                static_cast<double>(here - (num_known - 1));
    }
    num_known = here + 1;
  }
  return times;
}

// The coded picture that stands at each place of 1 / rate, kNobody where a packet was left out.
Listing::Slots Listing::find_slots() const {
  Slots slots;
  for (std::int64_t i = 0; i < num_coded(); ++i) {
    if (i > 0)
      for (std::int64_t time = last_packet(i - 1).decoded_at + 1;
           time < first_packet(i).decoded_at && slots.size() < kMaxPackets; ++time)
        slots.push_back({time, kNobody});
    slots.push_back({first_packet(i).decoded_at, i});
  }
  return slots;
}

void Listing::show_in_slots(const DecodedOrder& decoded) {
  if (decoded.pictures.empty()) return;
  const Slots slots = find_slots();
  Numbers slot_of(list_.coded.size() + 1, std::ssize(slots));
  for (std::size_t i = 0; i < slots.size(); ++i)
    if (slots[i].coded != kNobody) slot_of[slots[i].coded] = static_cast<std::int64_t>(i);
  // A picture comes out of the decoder when a later packet goes in, always as much later.
  const std::int64_t num_flushed =
      std::ranges::count(decoded.pictures, num_coded(), &DecodedOrder::Picture::sent);
  const std::int64_t delay =
      std::min(slot_of[decoded.pictures.front().sent], std::max(decoded.delay, num_flushed));
  Numbers seen(slots.size(), kNobody);
  std::int64_t next = 0;
  for (const auto& picture : decoded.pictures) {
    next = std::max(next, slot_of[picture.sent] - delay);
    if (next >= std::ssize(seen)) break;
    seen[next++] = picture.coded;
  }
  std::int64_t latest = decoded.pictures.front().coded;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const bool is_lost = seen[i] == kNobody && decoded.had_errors && slots[i].coded != kNobody &&
                         brings_picture(slots[i].coded);
    if (seen[i] != kNobody) latest = seen[i];
    show(latest, seconds_of(slots[i].time), is_lost);
  }
  list_.end_seconds = seconds_of(slots.back().time + 1);
}

}  // namespace

std::int64_t PictureList::coded_picture(std::int64_t packet) const {
  const auto next = std::ranges::upper_bound(coded, packet, {}, &CodedPicture::first_packet);
  return next - coded.begin() - 1;
}

bool PictureList::has_joined_fields() const {
  return std::ranges::any_of(coded, [](const auto& picture) { return picture.num_packets > 1; });
}

PictureList list_pictures(const PacketList& packets, const Timing& timing,
                          const DecodeBeginning& decode) {
  return Listing(packets, timing, decode)();
}

}  // namespace vllama::media
