#include "media/input.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <span>
#include <vector>

#include "media/containers.h"

namespace vllama::media {
namespace {

constexpr int kMaxIdleReads = 1000;  // a demuxer may ask to be called again, but not for ever

int interrupt(void* deadline) {
  return static_cast<const Deadline*>(deadline)->passed() ? 1 : 0;
}

// Before FFmpeg takes a web page called clip.mp3 for one.
void refuse_other_file(const OpenRange& range, const std::string& name) {
  constexpr std::int64_t kMagicBytes = 512;
  const std::string_view kind = kind_of_other_file(range.read_first(kMagicBytes));
  if (!kind.empty())
    throw MediaError(MediaFailure::not_media,
                     fmt::format("'{}': is {}, neither a video nor a sound file", name, kind));
}

// Throws for a status that says that FFmpeg does not make anything of the file.
void check_opened(int status, const FileRange& file, const RangeIo& io, const char* action) {
  if (status < 0 && status != AVERROR_EXIT) {
    const std::string reason = reason_not_opened(io.range(), file.file_name());
    if (!reason.empty())
      throw MediaError(MediaFailure::not_media, fmt::format("'{}': {}", file.name(), reason));
  }
  check(status, fmt::format("cannot {} '{}'", action, file.name()));
}

// FFmpeg is told the name for its extension alone; the one source of bytes is `io`.
FormatContext open_format(const FileRange& file, RangeIo& io, const Deadline& deadline) {
  refuse_other_file(io.range(), file.name());
  AVFormatContext* raw = allocated(avformat_alloc_context());
  raw->interrupt_callback = {&interrupt, const_cast<Deadline*>(&deadline)};
  raw->pb = io.context();
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "none", 0);
  av_dict_set(&options, "format_whitelist", readable_containers(), 0);
  const int status =
      avformat_open_input(&raw, ("file:" + file.file_name()).c_str(), nullptr, &options);
  av_dict_free(&options);
  FormatContext format(raw);
  check_opened(status, file, io, "open");
  check_opened(avformat_find_stream_info(raw, nullptr), file, io, "read the streams of");
  deadline.check(fmt::format("opening '{}'", file.name()));
  return format;
}

bool holds(const AVProgram& programme, int stream) {
  const std::span indices(programme.stream_index, programme.nb_stream_indexes);
  return std::ranges::find(indices, static_cast<unsigned>(stream)) != indices.end();
}

// Whether both streams are in programmes, but in none together.
bool are_of_different_programmes(AVFormatContext& format, int a, int b) {
  bool has_a = false, has_b = false;
  for (unsigned i = 0; i < format.nb_programs; ++i) {
    const bool holds_a = holds(*format.programs[i], a), holds_b = holds(*format.programs[i], b);
    if (holds_a && holds_b) return false;
    has_a = has_a || holds_a;
    has_b = has_b || holds_b;
  }
  return has_a && has_b;
}

const char* type_name(AVMediaType type) {
  return type == AVMEDIA_TYPE_AUDIO ? "audio" : "video";
}

}  // namespace

Deadline::Deadline(double seconds)
    : seconds_(seconds),
      end_(Clock::now() +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))) {}

void Deadline::check(const std::string& what) const {
  if (passed())
    throw MediaError(MediaFailure::timeout,
                     fmt::format("{}: took longer than {} seconds", what, seconds_));
}

void silence_ffmpeg() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_level(AV_LOG_QUIET); });
}

Input::Input(const FileRange& file, const Deadline& deadline)
    : name_(file.name()),
      deadline_(std::make_unique<Deadline>(deadline)),
      io_(std::make_unique<RangeIo>(file, *deadline_)) {
  silence_ffmpeg();
  format_ = open_format(file, *io_, *deadline_);
  choose_streams();
}

int Input::best_stream(AVMediaType type, int related) const {
  const auto is_attached = [&](int index) {
    return (format_->streams[index]->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
  };
  // One that can be decoded, where there is one.
  const AVCodec* decoder = nullptr;
  int index = av_find_best_stream(format_.get(), type, -1, related, &decoder, 0);
  if (index == AVERROR_DECODER_NOT_FOUND)
    index = av_find_best_stream(format_.get(), type, -1, related, nullptr, 0);
  if (index < 0 || !is_attached(index)) return std::max(index, -1);
  for (index = 0; index < static_cast<int>(format_->nb_streams); ++index)
    if (format_->streams[index]->codecpar->codec_type == type && !is_attached(index)) return index;
  return -1;
}

void Input::choose_streams() {
  pictures_ = best_stream(AVMEDIA_TYPE_VIDEO, -1);
  sound_ = best_stream(AVMEDIA_TYPE_AUDIO, pictures_);
  // FFmpeg falls back to the sound of another programme.
  if (pictures_ >= 0 && sound_ >= 0 && are_of_different_programmes(*format_, pictures_, sound_))
    sound_ = -1;
  std::vector<const AVStream*> streams;
  for (const int index : {pictures_, sound_})
    if (index >= 0) streams.push_back(format_->streams[index]);
  std::optional<double> zero;
  for (const AVStream* stream : streams)
    if (stream->start_time != AV_NOPTS_VALUE) {
      const double start = static_cast<double>(stream->start_time) * av_q2d(stream->time_base);
      zero = std::min(start, zero.value_or(start));
    }
  zero_seconds_ = zero.value_or(0);
  // Where headers hold no table of all packets, files may be joined by writing one behind another.
  const bool may_jump = (format_->iformat->flags & AVFMT_TS_DISCONT) != 0;
  if (may_jump || av_match_name("matroska", format_->iformat->name) != 0)
    time_line_.emplace(streams, may_jump);
  if (!may_jump && pictures_ >= 0) pictures_end_seconds_ = announced_end_of_pictures();
}

std::optional<double> Input::announced_end_of_pictures() const {
  const AVStream& stream = *format_->streams[pictures_];
  if (stream.start_time != AV_NOPTS_VALUE && stream.duration > 0)
    return static_cast<double>(av_sat_add64(stream.start_time, stream.duration)) *
               av_q2d(stream.time_base) -
           zero_seconds_;
  if (format_->duration <= 0 || format_->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE)
    return std::nullopt;
  const std::int64_t start = std::max<std::int64_t>(format_->start_time, 0);
  return static_cast<double>(av_sat_add64(start, format_->duration)) / AV_TIME_BASE - zero_seconds_;
}

void Input::note_end_of_pictures(const AVPacket& packet) {
  if (packet.stream_index != pictures_ || packet.pts == AV_NOPTS_VALUE) return;
  const double end =
      static_cast<double>(av_sat_add64(packet.pts, std::max<std::int64_t>(packet.duration, 0))) *
          av_q2d(format_->streams[pictures_]->time_base) -
      zero_seconds_;
  pictures_end_seconds_ = std::max(end, pictures_end_seconds_.value_or(end));
}

const AVStream* Input::find_stream(AVMediaType type) const {
  const int index = type == AVMEDIA_TYPE_AUDIO ? sound_ : pictures_;
  return index < 0 ? nullptr : format_->streams[index];
}

AVStream& Input::select_stream(AVMediaType type) {
  const AVStream* stream = find_stream(type);
  if (stream == nullptr)
    throw MediaError(
        type == AVMEDIA_TYPE_AUDIO ? MediaFailure::no_audio_stream : MediaFailure::no_video_stream,
        fmt::format("'{}': has no {} stream", name_, type_name(type)));
  if (avcodec_find_decoder(stream->codecpar->codec_id) == nullptr)
    throw MediaError(MediaFailure::unsupported_codec,
                     fmt::format("'{}': no decoder for its {} stream ({})", name_, type_name(type),
                                 avcodec_get_name(stream->codecpar->codec_id)));
  selected_ = stream->index;
  for (int i = 0; i < static_cast<int>(format_->nb_streams); ++i) {
    const bool is_on_time_line = time_line_ && (i == pictures_ || i == sound_);
    format_->streams[i]->discard =
        i == selected_ || is_on_time_line ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  }
  return *format_->streams[selected_];
}

bool Input::read(AVPacket& packet) {
  const auto is_selected = [&] { return packet.stream_index == selected_; };
  if (!time_line_) {
    while (read_any(packet))
      if (is_selected()) return true;
    return false;
  }
  while (true) {
    while (time_line_->pop(packet)) {
      note_end_of_pictures(packet);
      if (is_selected()) return true;
    }
    if (has_ended_) return false;
    has_ended_ = !read_any(packet);
    if (has_ended_)
      time_line_->end();
    else
      time_line_->push(packet);
  }
}

bool Input::read_any(AVPacket& packet) {
  for (int num_idle = 0; num_idle < kMaxIdleReads; ++num_idle) {
    deadline_->check(fmt::format("reading '{}'", name_));
    av_packet_unref(&packet);
    const int status = av_read_frame(format_.get(), &packet);
    if (status == AVERROR(EAGAIN)) continue;
    if (status == AVERROR_EXIT || (status < 0 && io_->has_failed()))
      check(status, fmt::format("reading '{}'", name_));
    return status >= 0;
  }
  return false;
}

}  // namespace vllama::media
