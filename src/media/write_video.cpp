#include "media/write_video.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "core/error.h"
#include "core/files.h"
#include "media/ffmpeg.h"
#include "media/input.h"

namespace vllama::media {
namespace {

constexpr const char* kVideoAction = "cannot encode a video";
constexpr const char* kVideoEncoder = "libx264";
constexpr const char* kSoundEncoder = "aac";
constexpr std::int64_t kSoundBitsPerSecond = 32000;

const AVCodec* find_encoder(const char* name) {
  const AVCodec* encoder = avcodec_find_encoder_by_name(name);
  if (encoder == nullptr)
    throw UserError(
        fmt::format("this FFmpeg has no encoder '{}', which clips are written with: install FFmpeg "
                    "libraries built with it (as those of Debian and Ubuntu are) and build again",
                    name));
  return encoder;
}

// A file in memory; FFmpeg owns the bytes until they are taken.
class MemoryFile {
 public:
  MemoryFile() { check(avio_open_dyn_buf(&io_), kVideoAction); }
  ~MemoryFile() { take(); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  AVIOContext* io() { return io_; }
  std::string take() {
    if (io_ == nullptr) return {};
    std::uint8_t* bytes = nullptr;
    const int num_bytes = avio_close_dyn_buf(io_, &bytes);
    io_ = nullptr;
    const std::unique_ptr<std::uint8_t, Free<av_freep>> owner(bytes);
    return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(num_bytes)};
  }

 private:
  AVIOContext* io_ = nullptr;
};

using OutputContext = std::unique_ptr<AVFormatContext, Free<avformat_free_context>>;

class VideoWriter {
 public:
  VideoWriter(FrameSize size, int frames_per_second, int sample_rate_hz);
  std::string write(std::span<const Image> pictures, std::span<const float> samples);

 private:
  struct Track {
    CodecContext codec;
    AVStream* stream;
  };

  Track add_track(const char* encoder, const std::function<void(AVCodecContext&)>& set_up);
  void add_sound_track(int sample_rate_hz);
  Frame converted(const Image& picture);
  void encode(Track& track, const AVFrame* frame);
  void encode_sound(std::span<const float> samples);

  MemoryFile file_;
  OutputContext format_;
  Track video_, sound_{};
  Scaler scaler_;
};

VideoWriter::VideoWriter(FrameSize size, int frames_per_second, int sample_rate_hz) {
  AVFormatContext* format = nullptr;
  check(avformat_alloc_output_context2(&format, nullptr, "mp4", nullptr), kVideoAction);
  format_.reset(format);
  format_->pb = file_.io();
  format_->flags |= AVFMT_FLAG_BITEXACT;
  video_ = add_track(kVideoEncoder, [&](AVCodecContext& codec) {
    codec.width = static_cast<int>(size.width);
    codec.height = static_cast<int>(size.height);
    codec.pix_fmt = AV_PIX_FMT_YUV420P;
    codec.time_base = {1, frames_per_second};
    codec.framerate = {frames_per_second, 1};
    codec.gop_size = 1;
    av_opt_set(codec.priv_data, "preset", "superfast", 0);
    av_opt_set(codec.priv_data, "tune", "zerolatency", 0);
    av_opt_set(codec.priv_data, "qp", "20", 0);
  });
  if (sample_rate_hz > 0) add_sound_track(sample_rate_hz);
  scaler_.reset(allocated(
      sws_getContext(video_.codec->width, video_.codec->height, AV_PIX_FMT_RGB24,
                     video_.codec->width, video_.codec->height, AV_PIX_FMT_YUV420P,
                     SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr, nullptr, nullptr)));
}

VideoWriter::Track VideoWriter::add_track(const char* name,
                                          const std::function<void(AVCodecContext&)>& set_up) {
  const AVCodec* encoder = find_encoder(name);
  Track track{CodecContext(allocated(avcodec_alloc_context3(encoder))),
              allocated(avformat_new_stream(format_.get(), nullptr))};
  track.codec->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER;
  track.codec->thread_count = 1;  // more would make the bytes depend on the machine
  set_up(*track.codec);
  check(avcodec_open2(track.codec.get(), encoder, nullptr), kVideoAction);
  check(avcodec_parameters_from_context(track.stream->codecpar, track.codec.get()), kVideoAction);
  track.stream->time_base = track.codec->time_base;
  return track;
}

void VideoWriter::add_sound_track(int sample_rate_hz) {
  sound_ = add_track(kSoundEncoder, [&](AVCodecContext& codec) {
    codec.sample_rate = sample_rate_hz;
    codec.time_base = {1, sample_rate_hz};
    codec.sample_fmt = AV_SAMPLE_FMT_FLTP;
    codec.bit_rate = kSoundBitsPerSecond;
    av_channel_layout_default(&codec.ch_layout, 1);
    av_opt_set(codec.priv_data, "aac_coder", "fast", 0);
  });
}

Frame VideoWriter::converted(const Image& picture) {
  Frame frame = make_frame();
  frame->width = video_.codec->width;
  frame->height = video_.codec->height;
  frame->format = AV_PIX_FMT_YUV420P;
  check(av_frame_get_buffer(frame.get(), 0), kVideoAction);
  const std::array<const std::uint8_t*, 4> planes{picture.rgb.data()};
  const std::array<int, 4> row_bytes{3 * frame->width};
  check(sws_scale(scaler_.get(), planes.data(), row_bytes.data(), 0, frame->height, frame->data,
                  frame->linesize),
        kVideoAction);
  return frame;
}

// A null frame ends the track.
void VideoWriter::encode(Track& track, const AVFrame* frame) {
  check(avcodec_send_frame(track.codec.get(), frame), kVideoAction);
  const Packet packet = make_packet();
  while (true) {
    const int status = avcodec_receive_packet(track.codec.get(), packet.get());
    if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) return;
    check(status, kVideoAction);
    // The encoder of pictures leaves it to the muxer, which cannot know it of the last one.
    if (packet->duration == 0) packet->duration = 1;
    av_packet_rescale_ts(packet.get(), track.codec->time_base, track.stream->time_base);
    packet->stream_index = track.stream->index;
    check(av_interleaved_write_frame(format_.get(), packet.get()), kVideoAction);
  }
}

void VideoWriter::encode_sound(std::span<const float> samples) {
  const auto frame_size = static_cast<std::size_t>(sound_.codec->frame_size);
  for (std::size_t begin = 0; begin < samples.size(); begin += frame_size) {
    const auto part = samples.subspan(begin, std::min(frame_size, samples.size() - begin));
    const Frame frame = make_frame();
    frame->format = AV_SAMPLE_FMT_FLTP;
    frame->sample_rate = sound_.codec->sample_rate;
    frame->nb_samples = static_cast<int>(part.size());
    frame->pts = static_cast<std::int64_t>(begin);
    av_channel_layout_default(&frame->ch_layout, 1);
    check(av_frame_get_buffer(frame.get(), 0), kVideoAction);
    std::ranges::copy(part, reinterpret_cast<float*>(frame->data[0]));
    encode(sound_, frame.get());
  }
  encode(sound_, nullptr);
}

std::string VideoWriter::write(std::span<const Image> pictures, std::span<const float> samples) {
  check(avformat_write_header(format_.get(), nullptr), kVideoAction);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const Frame frame = converted(pictures[i]);
    frame->pts = static_cast<std::int64_t>(i);
    encode(video_, frame.get());
  }
  encode(video_, nullptr);
  if (!samples.empty()) encode_sound(samples);
  check(av_write_trailer(format_.get()), kVideoAction);
  return file_.take();
}

}  // namespace

void require_video_encoders(bool with_sound) {
  find_encoder(kVideoEncoder);
  if (with_sound) find_encoder(kSoundEncoder);
}

std::string encode_video(std::span<const Image> pictures, int frames_per_second,
                         const MonoSound& sound) {
  VLLAMA_ASSERT(!pictures.empty() && frames_per_second > 0, "a video has pictures");
  const FrameSize size{pictures[0].width, pictures[0].height};
  VLLAMA_ASSERT(size.width > 0 && size.height > 0 && size.width % 2 == 0 && size.height % 2 == 0,
                "pictures of a video have an even width and height");
  for (const Image& picture : pictures)
    VLLAMA_ASSERT(FrameSize({picture.width, picture.height}) == size &&
                      picture.rgb.size() == static_cast<std::size_t>(size.width * size.height * 3),
                  "pictures of a video have one size");
  VLLAMA_ASSERT(sound.samples.empty() || sound.sample_rate_hz > 0, "sound has a sample rate");
  silence_ffmpeg();
  const int sample_rate_hz = sound.samples.empty() ? 0 : sound.sample_rate_hz;
  return VideoWriter(size, frames_per_second, sample_rate_hz).write(pictures, sound.samples);
}

void write_video(std::span<const Image> pictures, int frames_per_second, const MonoSound& sound,
                 const std::filesystem::path& path) {
  write_file_atomically(path, encode_video(pictures, frames_per_second, sound));
}

}  // namespace vllama::media
