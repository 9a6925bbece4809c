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

namespace vllama::media {
namespace {

using Parameters = std::unique_ptr<AVCodecParameters, Free<avcodec_parameters_free>>;

constexpr std::int64_t kMaxConcealedShare = 8;  // one image in so many may be replaced
constexpr std::int64_t kMaxOutputSide = 1 << 15;

double frames_per_second(const AVFormatContext& format, const AVStream& stream,
                         const PacketList& list) {
  const auto num_frames = static_cast<double>(list.facts.size());
  for (const AVRational rate : {stream.avg_frame_rate, stream.r_frame_rate})
    if (rate.num > 0 && rate.den > 0) return av_q2d(rate);
  if (stream.duration > 0 && stream.time_base.num > 0)
    return num_frames / (static_cast<double>(stream.duration) * av_q2d(stream.time_base));
  if (format.duration > 0) return num_frames * AV_TIME_BASE / static_cast<double>(format.duration);
  if (list.display_seconds && *list.display_seconds > 0)
    return (num_frames - 1) / *list.display_seconds;
  return 1;  // one frame without any time: its index is 0, and so is its time
}

VideoFacts facts_of(Input& input, const AVStream& stream, const PacketList& list) {
  const AVCodecParameters& parameters = *stream.codecpar;
  VideoFacts facts;
  facts.num_frames = static_cast<std::int64_t>(list.facts.size());
  facts.frames_per_second = frames_per_second(input.format(), stream, list);
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

Interpolation interpolation_of(const std::string& scaler) {
  if (scaler == "bilinear") return Interpolation::bilinear;
  if (scaler == "bicubic") return Interpolation::bicubic;
  throw UserError(fmt::format("unknown scaler '{}': choose 'bilinear' or 'bicubic'", scaler));
}

}  // namespace

struct VideoReader::State {
  State(const FileRange& file, const VideoOptions& chosen);

  struct Pass {
    std::map<std::int64_t, Image> images;  // of the wanted frames that decoded
    std::set<std::int64_t> decoded;        // all frames that decoded
    bool is_clean = true;                  // no sign of damage anywhere
  };
  using Indices = std::set<std::int64_t>;  // display indices

  // The display index whose picture is seen at a display index.
  std::int64_t shown_at(std::int64_t display_index) const;
  // The frame that stands in for one that did not decode. `decoded` is not empty.
  static std::int64_t substitute(std::int64_t missing, const Indices& decoded);
  std::vector<DecodeStep> shortest_plan(const Indices& wanted) const;
  Pass decode(std::span<const DecodeStep> steps, const Indices& wanted,
              std::optional<FrameSize> size, const Deadline& deadline) const;

  FileRange source;
  VideoOptions options;
  Interpolation interpolation;
  VideoFacts facts;
  PacketList list;
  Parameters parameters;
};

VideoReader::State::State(const FileRange& file, const VideoOptions& chosen)
    : source(file), options(chosen), interpolation(interpolation_of(chosen.scaler)) {
  Input input(source, Deadline(options.time_limit_seconds));
  const AVStream& stream = input.select_stream(AVMEDIA_TYPE_VIDEO);
  list = read_packets(input, stream, options.packet_memory_bytes);
  if (list.is_encrypted)
    throw MediaError(MediaFailure::encrypted, fmt::format("'{}': is encrypted", source.name()));
  if (list.facts.empty())
    throw MediaError(MediaFailure::corrupt,
                     fmt::format("'{}': its video stream holds no frames", source.name()));
  facts = facts_of(input, stream, list);
  if (facts.width <= 0 || facts.height <= 0)
    throw MediaError(MediaFailure::corrupt,
                     fmt::format("'{}': the size of its frames is unknown", source.name()));
  parameters.reset(allocated(avcodec_parameters_alloc()));
  check(avcodec_parameters_copy(parameters.get(), stream.codecpar), "cannot copy parameters");
}

std::int64_t VideoReader::State::shown_at(std::int64_t display_index) const {
  const auto shows = [&](std::int64_t index) {
    return list.facts[list.file_index[index]].shows_picture;
  };
  std::int64_t shown = display_index;
  while (shown > 0 && !shows(shown)) --shown;
  while (shown + 1 < facts.num_frames && !shows(shown)) ++shown;
  return shown;
}

std::int64_t VideoReader::State::substitute(std::int64_t missing, const Indices& decoded) {
  const auto later = decoded.upper_bound(missing);
  return later == decoded.begin() ? *later : *std::prev(later);
}

std::vector<DecodeStep> VideoReader::State::shortest_plan(const Indices& wanted) const {
  std::vector<std::int64_t> targets;
  for (const std::int64_t index : wanted) targets.push_back(list.file_index[index]);
  std::sort(targets.begin(), targets.end());
  return plan_decode(list.facts, targets);
}

VideoReader::State::Pass VideoReader::State::decode(std::span<const DecodeStep> steps,
                                                    const Indices& wanted,
                                                    std::optional<FrameSize> size,
                                                    const Deadline& deadline) const {
  Pass pass;
  FrameScaler scale(interpolation, facts.orientation);
  FrameDecoder decoder(*parameters, list.reorder_depth,
                       [&](std::int64_t file_index, const AVFrame& frame) {
                         const std::int64_t index = list.facts[file_index].display_index;
                         const bool is_new = pass.decoded.insert(index).second;
                         if (is_new && wanted.contains(index))
                           pass.images.emplace(index, scale(frame, size));
                       });
  PacketSource packets(list, source, deadline);
  const std::string action = fmt::format("decoding '{}'", source.name());
  for (const DecodeStep& step : steps) {
    deadline.check(action);
    if (step.starts_anew) decoder.finish();
    decoder.send(packets.at(step.file_index), step.file_index, step.is_target);
  }
  decoder.finish();
  pass.is_clean = !decoder.had_errors() && pass.images.size() == wanted.size();
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
  for (const std::int64_t index : indices) wanted.insert(state.shown_at(index));

  auto pass = state.decode(state.shortest_plan(wanted), wanted, size, deadline);
  if (!pass.is_clean) {
    // What a decoder makes of damage depends on what it saw before: only the whole clip, in
    // sequence, gives the same frames whatever else is asked for.
    const auto everything = plan_everything(state.list.facts);
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
    const std::int64_t shown = state.shown_at(index);
    const std::int64_t found = State::substitute(shown, pass.decoded);
    result.images.push_back(pass.images.at(found));
    result.num_concealed += found == shown ? 0 : 1;
  }
  if (result.num_concealed * kMaxConcealedShare > std::ssize(indices))
    throw MediaError(MediaFailure::too_many_concealed,
                     fmt::format("'{}': {} of {} frames cannot be decoded", state.source.name(),
                                 result.num_concealed, indices.size()));
  return result;
}

}  // namespace vllama::media
