#include "media/packet_kind.h"

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

namespace vllama::media {
namespace {

using Bytes = std::span<const std::uint8_t>;

// The NAL units of a packet whose units carry their length, or nothing if the lengths do not fit.
std::optional<std::vector<Bytes>> split_by_length(Bytes data, std::size_t length_bytes) {
  std::vector<Bytes> units;
  while (!data.empty()) {
    if (data.size() < length_bytes) return std::nullopt;
    std::size_t length = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) length = length << 8 | data[i];
    data = data.subspan(length_bytes);
    if (length == 0 || length > data.size()) return std::nullopt;
    units.push_back(data.first(length));
    data = data.subspan(length);
  }
  return units;
}

// The NAL units of a packet in which each follows the bytes 0 0 1.
std::vector<Bytes> split_by_start_code(Bytes data) {
  std::vector<Bytes> units;
  std::optional<std::size_t> begin;
  for (std::size_t i = 0; i + 3 <= data.size(); ++i) {
    if (data[i] != 0 || data[i + 1] != 0 || data[i + 2] != 1) continue;
    if (begin && i > *begin) units.push_back(data.subspan(*begin, i - *begin));
    begin = i + 3;
    i += 2;
  }
  if (begin && *begin < data.size()) units.push_back(data.subspan(*begin));
  return units;
}

enum class NalRole { picture, parameter_set, other };

struct Nal {
  NalRole role = NalRole::other;
  bool is_first_slice = false;  // H.264: of a frame or field
  bool is_entry = false;
  bool is_unreferenced = false;
  std::int32_t temporal_layer = 0;
};

// ITU-T H.264 table 7-1. Entries are IDR pictures only: other key frames may have pictures behind
// them that refer to what came before.
Nal h264_nal(Bytes unit) {
  const int type = unit[0] & 0x1f;
  const bool is_unreferenced = (unit[0] >> 5 & 3) == 0;
  if (type >= 1 && type <= 5)
    return {.role = NalRole::picture,
            .is_first_slice = unit.size() > 1 && (unit[1] & 0x80) != 0,  // first_mb_in_slice is 0
            .is_entry = type == 5,
            .is_unreferenced = is_unreferenced};
  if (type == 7 || type == 8 || type == 13 || type == 15) return {.role = NalRole::parameter_set};
  return {};
}

// ITU-T H.265 table 7-1: types 16 to 21 are random access points, even types up to 14 are not
// referred to within their temporal layer, 32 to 34 are parameter sets.
Nal hevc_nal(Bytes unit) {
  if (unit.size() < 2) return {};
  const int type = unit[0] >> 1 & 0x3f;
  const int layer = (unit[0] & 1) << 5 | unit[1] >> 3;
  if (layer > 0) return {};
  const bool is_unreferenced = type <= 14 && type % 2 == 0;
  if (type < 32)
    return {.role = NalRole::picture,
            .is_entry = type >= 16 && type <= 21,
            .is_unreferenced = is_unreferenced,
            .temporal_layer = (unit[1] & 7) - 1};
  if (type <= 34) return {.role = NalRole::parameter_set};
  return {};
}

int nal_length_bytes(const AVCodecParameters& parameters) {
  const Bytes header(parameters.extradata, static_cast<std::size_t>(parameters.extradata_size));
  if (parameters.codec_id == AV_CODEC_ID_H264)
    return header.size() >= 7 && header[0] == 1 ? (header[4] & 3) + 1 : 0;
  const bool has_lengths =
      header.size() >= 23 && (header[0] != 0 || header[1] != 0 || header[2] > 1);
  return has_lengths ? (header[21] & 3) + 1 : 0;
}

bool has_nal_units(AVCodecID codec) {
  return codec == AV_CODEC_ID_H264 || codec == AV_CODEC_ID_HEVC;
}

// Codecs whose key frames need nothing from before, as FFmpeg's parser finds them in the bytes.
bool has_clean_key_frames(AVCodecID codec) {
  return codec == AV_CODEC_ID_VP8 || codec == AV_CODEC_ID_VP9 || codec == AV_CODEC_ID_AV1;
}

// The parser tells the order of two fields once it has seen both: one behind the other, of the same
// frame_num (ITU-T H.264, 7.4.1.2.4).
Field field_of(const AVCodecParserContext& parser) {
  if (parser.picture_structure != AV_PICTURE_STRUCTURE_TOP_FIELD &&
      parser.picture_structure != AV_PICTURE_STRUCTURE_BOTTOM_FIELD)
    return Field::none;
  const bool has_both = parser.field_order == AV_FIELD_TT || parser.field_order == AV_FIELD_BB;
  return has_both ? Field::second : Field::first;
}

// Data beside the frame that changes how later frames decode.
bool changes_state(const AVPacket& packet) {
  for (const AVPacketSideDataType type :
       {AV_PKT_DATA_NEW_EXTRADATA, AV_PKT_DATA_PALETTE, AV_PKT_DATA_PARAM_CHANGE})
    if (av_packet_get_side_data(&packet, type, nullptr) != nullptr) return true;
  return false;
}

}  // namespace

PacketClassifier::PacketClassifier(const AVCodecParameters& parameters)
    : parameters_(parameters), count_pictures_(parameters) {
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(parameters.codec_id);
  is_intra_only_ = descriptor != nullptr && (descriptor->props & AV_CODEC_PROP_INTRA_ONLY) != 0;
  if (has_nal_units(parameters.codec_id)) nal_length_bytes_ = nal_length_bytes(parameters);
  if (!has_clean_key_frames(parameters.codec_id) && parameters.codec_id != AV_CODEC_ID_H264) return;
  parser_.reset(av_parser_init(parameters.codec_id));
  parser_context_.reset(allocated(avcodec_alloc_context3(nullptr)));
  check(avcodec_parameters_to_context(parser_context_.get(), &parameters), "codec parameters");
  if (parser_) parser_->flags |= PARSER_FLAG_COMPLETE_FRAMES;
}

PacketKind PacketClassifier::operator()(const AVPacket& packet) {
  if (packet.size <= 0) return {.num_pictures = 0};
  has_changed_state_ = has_changed_state_ || changes_state(packet);
  PacketKind kind;
  if (is_intra_only_) kind = {.is_entry = true, .is_unreferenced = true};
  if (parser_) parse(packet);
  if (has_nal_units(parameters_.codec_id))
    kind = nal_kind(packet);
  else if (parser_)
    kind.is_entry = parser_->key_frame == 1 && (packet.flags & AV_PKT_FLAG_KEY) != 0;
  if (has_changed_state_) kind.is_entry = kind.is_unreferenced = false;
  kind.num_pictures = count_pictures_({packet.data, static_cast<std::size_t>(packet.size)});
  const bool has_hidden_packets =
      has_clean_key_frames(parameters_.codec_id) || parameters_.codec_id == AV_CODEC_ID_THEORA;
  kind.is_never_shown = kind.num_pictures == 0 && has_hidden_packets;
  return kind;
}

PacketKind PacketClassifier::nal_kind(const AVPacket& packet) {
  const bool is_h264 = parameters_.codec_id == AV_CODEC_ID_H264;
  const Bytes data(packet.data, static_cast<std::size_t>(packet.size));
  const auto units = nal_length_bytes_ > 0
                         ? split_by_length(data, static_cast<std::size_t>(nal_length_bytes_))
                         : split_by_start_code(data);
  if (!units) return {};
  PacketKind kind{.is_entry = true, .is_unreferenced = true};
  bool has_picture = false;
  int num_fields = 0;
  std::set<std::string> sent_here;
  for (const Bytes unit : *units) {
    const Nal nal = is_h264 ? h264_nal(unit) : hevc_nal(unit);
    if (nal.role == NalRole::parameter_set) sent_here.emplace(unit.begin(), unit.end());
    if (nal.role != NalRole::picture) continue;
    has_picture = true;
    num_fields += nal.is_first_slice ? 1 : 0;
    kind.is_entry = kind.is_entry && nal.is_entry;
    kind.is_unreferenced = kind.is_unreferenced && nal.is_unreferenced;
    kind.temporal_layer = nal.temporal_layer;
  }
  if (!has_picture) return {};
  if (parser_ && num_fields < 2) kind.field = field_of(*parser_);
  // A frame that carries parameter sets must reach the decoder, and who starts at an entry must
  // find there every parameter set sent so far.
  if (!sent_here.empty()) kind.is_unreferenced = false;
  parameter_sets_.insert(sent_here.begin(), sent_here.end());
  if (sent_here != parameter_sets_) kind.is_entry = false;
  // Decoders work around errors of old encoders in this profile, named in the very first packet.
  if (is_h264 && parameters_.profile == FF_PROFILE_H264_HIGH_444_PREDICTIVE) kind.is_entry = false;
  return kind;
}

void PacketClassifier::parse(const AVPacket& packet) {
  std::uint8_t* output = nullptr;
  int output_size = 0;
  av_parser_parse2(parser_.get(), parser_context_.get(), &output, &output_size, packet.data,
                   packet.size, packet.pts, packet.dts, packet.pos);
}

}  // namespace vllama::media
