#include "media/video.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "core/error.h"
#include "media/decode_plan.h"
#include "media/display_matrix.h"
#include "media/frame_decoder.h"
#include "media/frame_scaler.h"
#include "media/packet_list.h"
#include "media/picture_list.h"

namespace vllama::media {
namespace {

using Parameters = std::unique_ptr<AVCodecParameters, Free<avcodec_parameters_free>>;

constexpr std::int64_t kMaxConcealedShare = 8;  // one image in so many may be replaced
constexpr std::int64_t kMaxOutputSide = 1 << 15;

std::optional<double> told_rate(const AVStream& stream) {
  for (const AVRational rate : {stream.avg_frame_rate, stream.r_frame_rate})
    if (rate.num > 0 && rate.den > 0) return av_q2d(rate);
  return std::nullopt;
}

double frames_per_second(const AVFormatContext& format, const AVStream& stream,
                         const PictureList& pictures) {
  const auto num_frames = static_cast<double>(pictures.shown.size());
  const double seconds = pictures.shown.back().seconds - pictures.shown.front().seconds;
  // Some containers count the fields of a picture as two.
  if (pictures.has_joined_fields() && seconds > 0) return (num_frames - 1) / seconds;
  if (const auto rate = told_rate(stream)) return *rate;
  if (stream.duration > 0 && stream.time_base.num > 0)
    return num_frames / (static_cast<double>(stream.duration) * av_q2d(stream.time_base));
  if (format.duration > 0) return num_frames * AV_TIME_BASE / static_cast<double>(format.duration);
  return seconds > 0 ? (num_frames - 1) / seconds : 1;
}

// Whether pictures may be shown in another order than they are decoded in.
bool is_reordered(const AVCodecParameters& parameters) {
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(parameters.codec_id);
  const bool is_baseline =
      parameters.codec_id == AV_CODEC_ID_H264 &&
      (parameters.profile & ~FF_PROFILE_H264_CONSTRAINED) == FF_PROFILE_H264_BASELINE;
  return descriptor == nullptr ||
         ((descriptor->props & AV_CODEC_PROP_REORDER) != 0 && !is_baseline);
}

Timing timing_of(Input& input, const AVStream& stream) {
  const AVInputFormat& container = *input.format().iformat;
  Timing timing{.time_base = stream.time_base,
                .zero_seconds = input.zero_seconds(),
                .has_slots = av_match_name(container.name, "avi") != 0,
                .has_times = stream.start_time != AV_NOPTS_VALUE,
                .may_lack_key = (container.flags & AVFMT_TS_DISCONT) != 0,
                .is_reordered = is_reordered(*stream.codecpar)};
  if (const auto rate = told_rate(stream)) timing.frames_per_second = *rate;
  return timing;
}

VideoFacts facts_of(Input& input, const AVStream& stream, const PictureList& pictures) {
  const AVCodecParameters& parameters = *stream.codecpar;
  VideoFacts facts;
  facts.num_frames = std::ssize(pictures.shown);
  facts.frames_per_second = frames_per_second(input.format(), stream, pictures);
  for (const ShownPicture& picture : pictures.shown) facts.times_seconds.push_back(picture.seconds);
  facts.end_seconds = pictures.end_seconds;
  facts.orientation = display_orientation(stream);
  facts.width = parameters.width;
  facts.height = parameters.height;
  if (facts.orientation.swaps_axes) std::swap(facts.width, facts.height);
  facts.codec = avcodec_get_name(parameters.codec_id);
  if (const AVStream* audio = input.find_stream(AVMEDIA_TYPE_AUDIO)) {
    facts.has_audio = true;
    facts.audio_sample_rate = audio->codecpar->sample_rate;
    facts.num_audio_channels = audio->codecpar->ch_layout.nb_channels;
  }
  return facts;
}

}  // namespace

struct VideoReader::State {
  State(const FileRange& file, const VideoOptions& chosen);

  using Indices = std::set<std::int64_t>;  // display indices of coded pictures
  struct Pass {
    std::map<std::int64_t, Image> images;  // of the wanted pictures that decoded
    Indices decoded;                       // all pictures that decoded and are shown at some time
    bool had_errors = false;               // signs of damage
  };

  DecodedOrder decode_beginning(const PictureList& list, std::int64_t num_coded) const;
  // The display index of the picture that is seen in a frame.
  std::int64_t seen_in(std::int64_t frame) const {
    return pictures.coded[pictures.shown[frame].coded].display_index;
  }
  // The picture that stands in for one that did not decode. `decoded` is not empty.
  static std::int64_t substitute(std::int64_t missing, const Indices& decoded);
  std::vector<DecodeStep> shortest_plan(std::span<const std::int64_t> frames) const;
  Pass decode(std::span<const DecodeStep> steps, const Indices& wanted,
              std::optional<FrameSize> size, const Deadline& deadline) const;

  FileRange source;
  VideoOptions options;
  Interpolation interpolation;
  Deadline opening;
  VideoFacts facts;
  PacketList packets;
  PictureList pictures;
  Parameters parameters;
};

VideoReader::State::State(const FileRange& file, const VideoOptions& chosen)
    : source(file),
      options(chosen),
      interpolation(chosen.scaler == FrameScaling::bicubic ? Interpolation::bicubic
                                                           : Interpolation::bilinear),
      opening(options.time_limit_seconds) {
  Input input(source, opening);
  const AVStream& stream = input.select_stream(AVMEDIA_TYPE_VIDEO);
  packets = read_packets(input, stream, options.packet_memory_bytes);
  if (packets.is_encrypted)
    throw MediaError(MediaFailure::encrypted, fmt::format("'{}': is encrypted", source.name()));
  if (packets.facts.empty())
    throw MediaError(MediaFailure::corrupt,
                     fmt::format("'{}': its video stream holds no frames", source.name()));
  parameters.reset(allocated(avcodec_parameters_alloc()));
  check(avcodec_parameters_copy(parameters.get(), stream.codecpar), "cannot copy parameters");
  pictures = list_pictures(packets, timing_of(input, stream),
                           [this](const PictureList& list, std::int64_t num_coded) {
                             return decode_beginning(list, num_coded);
                           });
  if (pictures.shown.empty())
    throw MediaError(MediaFailure::corrupt,
                     fmt::format("'{}': no frame could be decoded", source.name()));
  facts = facts_of(input, stream, pictures);
  if (facts.width <= 0 || facts.height <= 0)
    throw MediaError(MediaFailure::corrupt,
                     fmt::format("'{}': the size of its frames is unknown", source.name()));
}

DecodedOrder VideoReader::State::decode_beginning(const PictureList& list,
                                                  std::int64_t num_coded) const {
  DecodedOrder order;
  std::set<std::int64_t> seen;
  std::int64_t sent = 0;
  FrameDecoder decoder(*parameters, list.reorder_depth,
                       [&](std::int64_t packet_index, const AVFrame&) {
                         const std::int64_t coded = list.coded_picture(packet_index);
                         if (seen.insert(coded).second) order.pictures.push_back({coded, sent});
                       });
  PacketSource packet_source(packets, source, opening);
  for (; sent < num_coded; ++sent) {
    opening.check(fmt::format("opening '{}'", source.name()));
    const CodedPicture& picture = list.coded[sent];
    for (std::int64_t i = 0; i < picture.num_packets; ++i)
      decoder.send(packet_source.at(picture.first_packet + i), picture.first_packet + i, true);
  }
  order.delay = decoder.delay();
  decoder.finish();
  order.had_errors = decoder.had_errors();
  return order;
}

std::int64_t VideoReader::State::substitute(std::int64_t missing, const Indices& decoded) {
  const auto later = decoded.upper_bound(missing);
  return later == decoded.begin() ? *later : *std::prev(later);
}

std::vector<DecodeStep> VideoReader::State::shortest_plan(
    std::span<const std::int64_t> frames) const {
  std::set<std::int64_t> targets;
  for (const std::int64_t frame : frames) targets.insert(pictures.shown[frame].coded);
  return plan_decode(pictures.coded, std::vector<std::int64_t>(targets.begin(), targets.end()));
}

VideoReader::State::Pass VideoReader::State::decode(std::span<const DecodeStep> steps,
                                                    const Indices& wanted,
                                                    std::optional<FrameSize> size,
                                                    const Deadline& deadline) const {
  Pass pass;
  FrameScaler scale(interpolation, facts.orientation);
  FrameDecoder decoder(
      *parameters, pictures.reorder_depth, [&](std::int64_t packet_index, const AVFrame& frame) {
        const CodedPicture& picture = pictures.coded[pictures.coded_picture(packet_index)];
        if (!picture.is_shown) return;
        const std::int64_t index = picture.display_index;
        const bool is_new = pass.decoded.insert(index).second;
        if (is_new && wanted.contains(index)) pass.images.emplace(index, scale(frame, size));
      });
  PacketSource packet_source(packets, source, deadline);
  const std::string action = fmt::format("decoding '{}'", source.name());
  for (const DecodeStep& step : steps) {
    deadline.check(action);
    if (step.starts_anew) decoder.finish();
    const CodedPicture& picture = pictures.coded[step.coded];
    for (std::int64_t i = 0; i < picture.num_packets; ++i)
      decoder.send(packet_source.at(picture.first_packet + i), picture.first_packet + i,
                   step.is_target);
  }
  decoder.finish();
  pass.had_errors = decoder.had_errors();
  return pass;
}

VideoReader::VideoReader(const FileRange& file, const VideoOptions& options)
    : state_(std::make_unique<State>(file, options)) {}
VideoReader::~VideoReader() = default;
VideoReader::VideoReader(VideoReader&&) noexcept = default;
VideoReader& VideoReader::operator=(VideoReader&&) noexcept = default;

const VideoFacts& VideoReader::facts() const {
  return state_->facts;
}

DecodedFrames VideoReader::frames(std::span<const std::int64_t> indices,
                                  std::optional<FrameSize> size) {
  State& state = *state_;
  for (const std::int64_t index : indices)
    VLLAMA_ASSERT(index >= 0 && index < state.facts.num_frames, "frame index out of range");
  VLLAMA_ASSERT(!size || (size->width > 0 && size->width <= kMaxOutputSide && size->height > 0 &&
                          size->height <= kMaxOutputSide),
                "frame size out of range");
  const Deadline deadline(state.options.time_limit_seconds);
  State::Indices wanted;
  for (const std::int64_t index : indices) wanted.insert(state.seen_in(index));

  auto pass = state.decode(state.shortest_plan(indices), wanted, size, deadline);
  if (pass.had_errors || pass.images.size() != wanted.size()) {
    // What a decoder makes of damage depends on what it saw before: only the whole clip, in
    // sequence, gives the same frames whatever else is asked for.
    const auto everything = plan_everything(state.pictures.coded);
    pass = state.decode(everything, wanted, size, deadline);
    if (pass.decoded.empty())
      throw MediaError(MediaFailure::corrupt,
                       fmt::format("'{}': no frame could be decoded", state.source.name()));
    State::Indices substitutes;
    for (const std::int64_t index : wanted) {
      const std::int64_t substitute = State::substitute(index, pass.decoded);
      if (!pass.images.contains(substitute)) substitutes.insert(substitute);
    }
    if (!substitutes.empty())
      pass.images.merge(state.decode(everything, substitutes, size, deadline).images);
  }

  DecodedFrames result;
  for (const std::int64_t index : indices) {
    const std::int64_t seen = state.seen_in(index);
    const std::int64_t found = State::substitute(seen, pass.decoded);
    // A picture that is missing from a clip without damage is none: what is seen there stays.
    const bool is_lost = found != seen && pass.had_errors;
    result.images.push_back(pass.images.at(found));
    result.num_concealed += is_lost || state.pictures.shown[index].is_replaced ? 1 : 0;
  }
  if (result.num_concealed * kMaxConcealedShare > std::ssize(indices))
    throw MediaError(MediaFailure::too_many_concealed,
                     fmt::format("'{}': {} of {} frames cannot be decoded", state.source.name(),
                                 result.num_concealed, indices.size()));
  return result;
}

}  // namespace vllama::media
