#include "media/input.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <mutex>
#include <vector>

namespace vllama::media {
namespace {

// Containers that training data come in. Play lists and image sequences are absent on purpose: they
// would make one file read others.
constexpr const char* kContainers =
    "mov,matroska,avi,gif,mpegts,mpeg,flv,asf,ogg,mpegvideo,m4v,h264,hevc,ivf,"
    "mp3,wav,w64,flac,aac,amr,aiff,caf,ac3,eac3,au";

constexpr int kMaxIdleReads = 1000;  // a demuxer may ask to be called again, but not for ever

int interrupt(void* deadline) {
  return static_cast<const Deadline*>(deadline)->passed() ? 1 : 0;
}

// Whether the file's first bytes are those of a container in the list.
bool looks_like_media(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) return false;
  std::vector<unsigned char> bytes(64 * 1024 + AVPROBE_PADDING_SIZE);
  AVProbeData probe{};
  probe.filename = "";
  probe.buf = bytes.data();
  probe.buf_size = static_cast<int>(
      std::fread(bytes.data(), 1, bytes.size() - AVPROBE_PADDING_SIZE, file.get()));
  const AVInputFormat* format = av_probe_input_format(&probe, 1);
  return format != nullptr && av_match_list(format->name, kContainers, ',') > 0;
}

void check_file(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status))
    throw MediaError(MediaFailure::not_found, fmt::format("'{}': no such file", path.string()));
  if (!std::filesystem::is_regular_file(status))
    throw MediaError(MediaFailure::not_media,
                     fmt::format("'{}': is not a regular file", path.string()));
  if (std::filesystem::file_size(path, error) == 0)
    throw MediaError(MediaFailure::empty, fmt::format("'{}': has no bytes", path.string()));
}

FormatContext open_format(const std::string& path, const Deadline& deadline) {
  AVFormatContext* raw = allocated(avformat_alloc_context());
  raw->interrupt_callback = {&interrupt, const_cast<Deadline*>(&deadline)};
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "file", 0);
  av_dict_set(&options, "format_whitelist", kContainers, 0);
  const int status = avformat_open_input(&raw, ("file:" + path).c_str(), nullptr, &options);
  av_dict_free(&options);
  FormatContext format(raw);
  if (status < 0 && status != AVERROR_EXIT && !looks_like_media(path))
    throw MediaError(MediaFailure::not_media,
                     fmt::format("'{}': is neither a video nor a sound file", path));
  check(status, fmt::format("cannot open '{}'", path));
  return format;
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

Input::Input(const std::filesystem::path& path, const Deadline& deadline)
    : name_(path.string()), deadline_(std::make_unique<Deadline>(deadline)) {
  // FFmpeg's own complaints about damaged clips are not for the log: ours name the file.
  static std::once_flag quiet;
  std::call_once(quiet, [] { av_log_set_level(AV_LOG_QUIET); });
  check_file(path);
  format_ = open_format(name_, *deadline_);
  check(avformat_find_stream_info(format_.get(), nullptr),
        fmt::format("cannot read the streams of '{}'", name_));
  deadline_->check(fmt::format("opening '{}'", name_));
}

const AVStream* Input::find_stream(AVMediaType type) const {
  const auto is_attached = [&](int index) {
    return (format_->streams[index]->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
  };
  int index = av_find_best_stream(format_.get(), type, -1, -1, nullptr, 0);
  if (index < 0 || !is_attached(index)) return index < 0 ? nullptr : format_->streams[index];
  for (index = 0; index < static_cast<int>(format_->nb_streams); ++index)
    if (format_->streams[index]->codecpar->codec_type == type && !is_attached(index))
      return format_->streams[index];
  return nullptr;
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
  for (int i = 0; i < static_cast<int>(format_->nb_streams); ++i)
    format_->streams[i]->discard = i == selected_ ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  return *format_->streams[selected_];
}

bool Input::read(AVPacket& packet) {
  for (int num_idle = 0; num_idle < kMaxIdleReads;) {
    deadline_->check(fmt::format("reading '{}'", name_));
    av_packet_unref(&packet);
    const int status = av_read_frame(format_.get(), &packet);
    if (status == AVERROR(EAGAIN)) {
      ++num_idle;
      continue;
    }
    if (status == AVERROR_EXIT || status == AVERROR(EIO))
      check(status, fmt::format("reading '{}'", name_));
    if (status < 0) return false;
    if (packet.stream_index == selected_) return true;
  }
  return false;
}

}  // namespace vllama::media
