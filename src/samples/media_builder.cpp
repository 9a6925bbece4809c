#include "samples/media_builder.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/broken_rules.h"
#include "core/error.h"
#include "core/stopwatch.h"
#include "media/audio.h"
#include "media/error.h"
#include "media/image.h"
#include "samples/crop.h"
#include "samples/frame_sampler.h"
#include "samples/interleave.h"
#include "samples/media_rules.h"
#include "samples/resize_image.h"
#include "text/time_message.h"

namespace vllama::samples {
namespace {

constexpr std::int64_t kNumColours = 3;

at::Tensor empty_frames(std::int64_t num_frames, std::int64_t size) {
  return at::empty({num_frames, size, size, kNumColours}, at::kByte);
}

std::span<std::uint8_t> frame_of(const at::Tensor& frames_FHWC, std::int64_t index) {
  const std::int64_t num_bytes = frames_FHWC.stride(0);
  return {frames_FHWC.mutable_data_ptr<std::uint8_t>() + index * num_bytes,
          static_cast<std::size_t>(num_bytes)};
}

void copy_frame(const media::Image& image, std::span<std::uint8_t> frame) {
  VLLAMA_ASSERT(
      image.rgb.size() == frame.size(),
      fmt::format("a frame of {} bytes where the model takes {}", image.rgb.size(), frame.size()));
  std::memcpy(frame.data(), image.rgb.data(), frame.size());
}

[[noreturn]] void fail_without_content(const MediaFile& file) {
  throw media::MediaError(media::MediaFailure::empty,
                          fmt::format("'{}' has nothing between {} and {} s", file.source.name(),
                                      file.start_seconds, file.end_seconds));
}

// Names what was looked for where a name without an extension stands for several files.
void require_found(const MediaFile& file) {
  if (!file.tried.empty())
    throw media::MediaError(media::MediaFailure::not_found,
                            fmt::format("cannot open '{}': no such file; the names that were tried "
                                        "there: {}",
                                        file.source.name(), file.tried));
}

std::vector<std::int64_t> shifted(std::vector<std::int64_t> indices, std::int64_t by) {
  for (std::int64_t& index : indices) index += by;
  return indices;
}

}  // namespace

StageSeconds& StageSeconds::operator+=(const StageSeconds& other) {
  decode += other.decode;
  pixels += other.pixels;
  sound += other.sound;
  text += other.text;
  return *this;
}

struct MediaBuilder::Draws {
  RandomStream frames, augmentation;
};

MediaBuilder::MediaBuilder(const std::string& name, const MediaConfig& config,
                           const MediaSettings& settings, const ModelInput& model)
    : config_(config),
      video_(settings.video),
      sound_(settings.sound),
      compat_(compat_of(settings.compat)),
      interleave_(settings.interleave),
      model_(model),
      picture_encoder_(model.picture_encoder()),
      sound_encoder_(model.sound_encoder()) {
  require_none(broken_media_rules(name, config, settings, model));
}

bool MediaBuilder::takes_frames(MediaKind kind) const {
  return picture_encoder_ && kind != MediaKind::sound && config_.inputs != Inputs::sound;
}

bool MediaBuilder::takes_sound(MediaKind kind) const {
  if (kind == MediaKind::image || config_.inputs == Inputs::frames) return false;
  if (!sound_encoder_ || config_.inputs != Inputs::automatic) return sound_encoder_.has_value();
  // A branch that both sees and hears is shown a video as it trains on it: by its frames.
  return kind == MediaKind::sound || !picture_encoder_ ||
         model_.encoders[*picture_encoder_].branch != model_.encoders[*sound_encoder_].branch;
}

BuiltMedium MediaBuilder::build(const MediaFile& file, const SampleKey& sample, std::size_t index,
                                StageSeconds& seconds) const {
  require_found(file);
  Draws draws{sample.random(RandomPurpose::frames, index),
              sample.random(RandomPurpose::augmentation, index)};
  BuiltMedium built;
  if (takes_frames(file.kind)) add_frames(file, draws, built, seconds);
  if (takes_sound(file.kind)) add_sound(file, built, seconds);
  if (built.inputs.empty())
    throw media::MediaError(file.kind == MediaKind::sound ? media::MediaFailure::no_video_stream
                                                          : media::MediaFailure::no_audio_stream,
                            fmt::format("'{}' has nothing for inputs: {}", file.source.name(),
                                        config::name_of(config_.inputs)));
  for (const auto& input : built.inputs) built.num_tokens += input.num_tokens;
  add_runs(file, built);
  return built;
}

void MediaBuilder::add_runs(const MediaFile& file, BuiltMedium& built) const {
  built.is_interleaved = interleave_ && built.inputs.size() == 2;
  if (!built.is_interleaved) {
    for (const auto& input : built.inputs)
      built.runs.push_back({built.runs.size(), input.num_tokens});
    return;
  }
  const MediaInput &frames = built.inputs[0], &sound = built.inputs[1];
  const BranchInput& hearing = model_.branch_of(sound.encoder);
  const std::int64_t num_windows = hearing.room(sound.extent()).num_places;
  built.runs = interleaved({.times_seconds = frames.times_seconds,
                            .tokens_per_frame = frames.num_tokens / frames.values.size(0)},
                           {.count = num_windows,
                            .begin_seconds = file.start_seconds,
                            .window_seconds = hearing.window_seconds,
                            .tokens_per_window = sound.num_tokens / num_windows});
}

MediaInput MediaBuilder::input_of(const MediaFile& file, std::size_t encoder,
                                  SoundUnits units) const {
  const BranchInput& branch = model_.branch_of(encoder);
  const MediaRoom room = branch.room({units.values.size(0), units.num_padding});
  if (room.num_places > branch.max_positions)
    throw media::MediaError(
        media::MediaFailure::too_long,
        fmt::format("'{}' has {} places for positions, more than {} = {}; {}: interpolated takes "
                    "any number",
                    file.source.name(), room.num_places, branch.max_positions_key,
                    branch.max_positions, branch.positions_key));
  return {.kind = file.kind,
          .encoder = encoder,
          .branch = branch.name,
          .values = std::move(units.values),
          .num_padding = units.num_padding,
          .num_tokens = room.num_tokens};
}

std::int64_t MediaBuilder::side() const {
  return std::get<PictureInput>(model_.encoders[*picture_encoder_].reads).side;
}

void MediaBuilder::add_frames(const MediaFile& file, Draws& draws, BuiltMedium& built,
                              StageSeconds& seconds) const {
  std::vector<double> times_seconds;
  at::Tensor frames_FHWC = file.kind == MediaKind::video
                               ? video_frames(file, draws, built, times_seconds, seconds)
                               : image_frame(file, draws, seconds);
  MediaInput input = input_of(file, *picture_encoder_, {.values = std::move(frames_FHWC)});
  input.times_seconds = std::move(times_seconds);
  built.inputs.push_back(std::move(input));
}

at::Tensor MediaBuilder::video_frames(const MediaFile& file, Draws& draws, BuiltMedium& built,
                                      std::vector<double>& times_seconds,
                                      StageSeconds& seconds) const {
  const std::int64_t size = side();
  media::DecodedFrames decoded;
  {
    const Stopwatch watch(seconds.decode);
    media::VideoReader reader(file.source, video_);
    const auto indices = chosen_frames(file, reader.facts(), draws);
    times_seconds = told_times(indices, reader.facts());
    decoded = reader.frames(indices, media::FrameSize{size, size});
    if (config_.time_message) built.time_message = text::time_message(times_seconds);
  }
  const Stopwatch watch(seconds.pixels);
  built.num_concealed_frames = decoded.num_concealed;
  const auto num_frames = static_cast<std::int64_t>(decoded.images.size());
  const at::Tensor frames_FHWC = empty_frames(num_frames, size);
  if (config_.transform == Transform::eval) {
    for (std::int64_t i = 0; i < num_frames; ++i)
      copy_frame(decoded.images[static_cast<std::size_t>(i)], frame_of(frames_FHWC, i));
    return frames_FHWC;
  }
  const CropBox box =
      draw_crop(size, size, {config_.min_crop_scale, config_.max_crop_scale}, draws.augmentation);
  const auto overshoot = compat_.wraps_pixels ? Overshoot::wrap : Overshoot::clamp;
  for (std::int64_t i = 0; i < num_frames; ++i)
    crop_and_resize_frame(decoded.images[static_cast<std::size_t>(i)].rgb, size, box, size,
                          frame_of(frames_FHWC, i), overshoot);
  return frames_FHWC;
}

std::vector<std::int64_t> MediaBuilder::chosen_frames(const MediaFile& file,
                                                      const media::VideoFacts& facts,
                                                      Draws& draws) const {
  const FrameStretch stretch =
      frames_between(facts.times_seconds, facts.end_seconds, file.start_seconds, file.end_seconds);
  if (stretch.count == 0) fail_without_content(file);
  const auto times = std::span(facts.times_seconds)
                         .subspan(static_cast<std::size_t>(stretch.begin),
                                  static_cast<std::size_t>(stretch.count));
  const std::int64_t count = config_.num_frames;
  // Frames are chosen within the stretch that is meant and counted from the beginning of the file.
  if (config_.sampling == Sampling::headtail)
    return shifted(headtail_indices(count, stretch.count, draws.frames), stretch.begin);
  if (config_.sampling == Sampling::uniform_time)
    return shifted(uniform_time_indices(count, times, std::max(file.start_seconds, times.front()),
                                        std::min(file.end_seconds, facts.end_seconds)),
                   stretch.begin);
  return shifted(uniform_indices(count, stretch.count), stretch.begin);
}

std::vector<double> MediaBuilder::told_times(std::span<const std::int64_t> frames,
                                             const media::VideoFacts& facts) const {
  std::vector<double> times;
  for (const std::int64_t frame : frames)
    times.push_back(compat_.counts_time_by_rate
                        ? static_cast<double>(frame) / facts.frames_per_second
                        : facts.times_seconds[static_cast<std::size_t>(frame)]);
  return times;
}

at::Tensor MediaBuilder::image_frame(const MediaFile& file, Draws& draws,
                                     StageSeconds& seconds) const {
  const std::int64_t size = side();
  media::Image image;
  {
    const Stopwatch watch(seconds.decode);
    image =
        media::read_image(file.source, compat_.keeps_stored_orientation ? media::Turning::as_stored
                                                                        : media::Turning::upright);
  }
  const Stopwatch watch(seconds.pixels);
  if (config_.transform == Transform::train)
    image = crop_image(
        image, draw_crop(image.height, image.width,
                         {config_.min_crop_scale, config_.max_crop_scale}, draws.augmentation));
  const at::Tensor frames_FHWC = empty_frames(1, size);
  copy_frame(resize_image(image, size, size), frame_of(frames_FHWC, 0));
  return frames_FHWC;
}

// Sound beside frames may be absent; where it is the only input its absence is an error.
void MediaBuilder::add_sound(const MediaFile& file, BuiltMedium& built,
                             StageSeconds& seconds) const {
  const bool is_optional = !built.inputs.empty();
  media::Waveform waveform;
  try {
    const Stopwatch watch(seconds.decode);
    waveform = media::read_audio(file.source, {.time_limit_seconds = video_.time_limit_seconds,
                                               .start_seconds = file.start_seconds,
                                               .end_seconds = file.end_seconds});
  } catch (const media::MediaError& error) {
    if (is_optional && error.reason == media::MediaFailure::no_audio_stream) return;
    throw;
  }
  const Stopwatch watch(seconds.sound);
  const auto& sound = std::get<SoundInput>(model_.encoders[*sound_encoder_].reads);
  auto units = sound.units(std::move(waveform), sound_, compat_);
  if (!units && is_optional) return;
  if (!units)
    throw media::MediaError(media::MediaFailure::no_audio_stream,
                            fmt::format("'{}' has less than 25 ms of sound", file.source.name()));
  MediaInput input = input_of(file, *sound_encoder_, *std::move(units));
  input.kind = MediaKind::sound;
  built.inputs.push_back(std::move(input));
}

}  // namespace vllama::samples
