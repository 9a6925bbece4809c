#include "media/picture_count.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace vllama::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

// Bits from the most significant on; zeros behind the end.
class BitReader {
 public:
  explicit BitReader(Bytes bytes) : bytes_(bytes) {}

  std::uint32_t take(int num_bits) {
    std::uint32_t value = 0;
    for (int i = 0; i < num_bits; ++i) value = value << 1 | next();
    return value;
  }
  bool flag() { return next() != 0; }
  bool is_over() const { return position_ > bytes_.size() * 8; }

 private:
  std::uint32_t next() {
    const std::size_t place = position_++;
    return place / 8 < bytes_.size() ? bytes_[place / 8] >> (7 - place % 8) & 1u : 0u;
  }

  Bytes bytes_;
  std::size_t position_ = 0;
};

// What follows the next start code 0 0 1 of an MPEG-4 stream, and where to look for the one after
// it; nothing at the end.
std::optional<std::size_t> next_start_code(Bytes data, std::size_t from) {
  for (std::size_t i = from; i + 4 <= data.size(); ++i)
    if (data[i] == 0 && data[i + 1] == 0 && data[i + 2] == 1) return i + 3;
  return std::nullopt;
}

// ISO/IEC 14496-2, 6.2.3: the bits that a picture's vop_time_increment takes.
int mpeg4_time_bits(Bytes header) {
  BitReader bits(header);
  bits.take(1 + 8);  // random_accessible_vol, video_object_type_indication
  std::uint32_t version = 1;
  if (bits.flag()) {  // is_object_layer_identifier
    version = bits.take(4);
    bits.take(3);
  }
  if (bits.take(4) == 15) bits.take(16);  // aspect_ratio_info: extended
  if (bits.flag()) {                      // vol_control_parameters
    bits.take(2 + 1);
    if (bits.flag()) bits.take(79);  // vbv_parameters
  }
  constexpr std::uint32_t kGreyShape = 3;
  if (bits.take(2) == kGreyShape && version != 1) bits.take(4);
  bits.take(1);
  const std::uint32_t resolution = bits.take(16);
  return resolution < 2 ? 1 : std::bit_width(resolution - 1);
}

// ISO/IEC 14496-2, 6.2.5: vop_coded, true also where the markers around it are not in their places.
bool is_coded_mpeg4(Bytes picture, int time_bits) {
  BitReader bits(picture);
  bits.take(2);  // vop_coding_type
  while (bits.flag()) {
  }
  const bool has_marker = bits.flag();
  bits.take(time_bits);
  const bool has_second_marker = bits.flag();
  const bool is_coded = bits.flag();
  return is_coded || !has_marker || !has_second_marker || bits.is_over();
}

// VP9 bitstream specification, 6.2. A superframe holds one shown frame.
bool shows_vp9(Bytes packet) {
  if ((packet.back() & 0xe0) == 0xc0) return true;
  BitReader bits(packet);
  if (bits.take(2) != 2) return true;  // frame_marker
  const bool low = bits.flag(), high = bits.flag();
  if (low && high) bits.take(1);  // of profile 3
  if (bits.flag()) return true;   // show_existing_frame
  bits.take(1);                   // frame_type
  return bits.flag();             // show_frame
}

// The size that stands in front of an AV1 unit, and the bytes that it takes (4.10.5).
std::optional<std::pair<std::size_t, std::size_t>> leb128(Bytes data) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(data.size(), 8); ++i) {
    value |= std::size_t{data[i] & 0x7fu} << (7 * i);
    if ((data[i] & 0x80) == 0) return std::pair(value, i + 1);
  }
  return std::nullopt;
}

// AV1 bitstream specification, 5.3 and 5.9.2: whether any frame header of the packet shows a frame.
// True where there is no frame header.
bool shows_av1(Bytes packet) {
  constexpr int kSequenceHeader = 1, kFrameHeader = 3, kFrame = 6;
  bool has_header = false;
  while (!packet.empty()) {
    const int type = packet[0] >> 3 & 15;
    const bool has_extension = (packet[0] & 4) != 0, has_size = (packet[0] & 2) != 0;
    const std::size_t header_bytes = has_extension ? 2 : 1;
    if (packet.size() < header_bytes) return true;
    packet = packet.subspan(header_bytes);
    std::size_t num_bytes = packet.size();
    if (has_size) {
      const auto size = leb128(packet);
      if (!size || size->first > packet.size() - size->second) return true;
      packet = packet.subspan(size->second);
      num_bytes = size->first;
    }
    BitReader bits(packet.first(num_bytes));
    if (type == kSequenceHeader) {
      bits.take(3 + 1);              // seq_profile, still_picture
      if (bits.flag()) return true;  // reduced_still_picture_header: one picture is all
    } else if (type == kFrameHeader || type == kFrame) {
      has_header = true;
      if (bits.flag()) return true;  // show_existing_frame
      bits.take(2);                  // frame_type
      if (bits.flag()) return true;  // show_frame
    }
    packet = packet.subspan(num_bytes);
  }
  return !has_header;
}

}  // namespace

PictureCounter::PictureCounter(const AVCodecParameters& parameters) : codec_(parameters.codec_id) {
  if (codec_ == AV_CODEC_ID_MPEG4 && parameters.extradata_size > 0)
    count_mpeg4({parameters.extradata, static_cast<std::size_t>(parameters.extradata_size)});
}

int PictureCounter::operator()(Bytes packet) {
  if (packet.empty()) return 0;
  switch (codec_) {
    case AV_CODEC_ID_MPEG4:
      return count_mpeg4(packet);
    case AV_CODEC_ID_VP8:  // RFC 6386, 9.1: bit 4 is show_frame
      return (packet[0] & 0x10) != 0 ? 1 : 0;
    case AV_CODEC_ID_VP9:
      return shows_vp9(packet) ? 1 : 0;
    case AV_CODEC_ID_AV1:
      return shows_av1(packet) ? 1 : 0;
    case AV_CODEC_ID_THEORA:  // Theora specification, 6.1 and 7.1: headers have the first bit set
      return (packet[0] & 0x80) == 0 ? 1 : 0;
    default:
      return 1;
  }
}

int PictureCounter::count_mpeg4(Bytes packet) {
  if (packet.size() == 1) return 0;  // how DivX says that nothing changed
  constexpr std::uint8_t kFirstLayer = 0x20, kLastLayer = 0x2f, kPicture = 0xb6;
  int num_found = 0, num_coded = 0;
  for (auto code = next_start_code(packet, 0); code; code = next_start_code(packet, *code)) {
    const Bytes unit = packet.subspan(*code + 1);
    if (packet[*code] >= kFirstLayer && packet[*code] <= kLastLayer) {
      time_bits_ = mpeg4_time_bits(unit);
    } else if (packet[*code] == kPicture) {
      ++num_found;
      num_coded += time_bits_ == 0 || is_coded_mpeg4(unit, time_bits_) ? 1 : 0;
    }
  }
  return num_found == 0 ? 1 : std::min(num_coded, 2);
}

}  // namespace vllama::media
