#include "media/audio.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "media/ffmpeg.h"
#include "media/input.h"

namespace vllama::media {
namespace {

constexpr std::int64_t kLowestRateHz = 1000;
constexpr std::int64_t kHighestRateHz = 768000;
constexpr std::int64_t kCountedRateHz = 16000;
constexpr int kMaxChannels = 64;
// One lost packet in so many is tolerated.
constexpr std::int64_t kLostShare = 8;
// Far above every recording, and far enough below the largest float for sums of samples.
constexpr float kLoudest = 1e30f;

// What tells frames apart that need different conversions.
struct FrameFormat {
  int sample_format = AV_SAMPLE_FMT_NONE;
  int sample_rate_hz = 0;
  int num_channels = 0;
  bool operator==(const FrameFormat&) const = default;
};

// The layout FFmpeg assumes for a number of channels; owns no memory.
AVChannelLayout layout_of(int num_channels) {
  AVChannelLayout layout{};
  av_channel_layout_default(&layout, num_channels);
  return layout;
}

bool is_sample(float value) {
  return std::abs(value) < kLoudest;
}

class AudioDecoder {
 public:
  AudioDecoder(const FileRange& file, const AudioOptions& options);
  Waveform decode();

 private:
  void open_codec();
  void decode_packet(const AVPacket* packet);
  void append_frame();
  void convert_from(const FrameFormat& format);
  void check_length(std::int64_t num_new_samples) const;
  [[noreturn]] void fail(MediaFailure failure, const std::string& problem) const {
    throw MediaError(failure, name_ + ": " + problem);
  }

  std::string name_;  // the path in quotes, for messages
  std::int64_t max_values_;
  Input input_;
  AVStream& stream_;
  CodecContext codec_;
  Packet packet_ = make_packet();
  Frame frame_ = make_frame();
  Resampler conversion_;
  FrameFormat converted_format_;  // of the frames that conversion_ takes
  Waveform waveform_;
  std::int64_t num_packets_ = 0;
};

AudioDecoder::AudioDecoder(const FileRange& file, const AudioOptions& options)
    : name_(std::string("'").append(file.name()).append("'")),
      max_values_(options.max_values),
      input_(file, Deadline(options.time_limit_seconds)),
      stream_(input_.select_stream(AVMEDIA_TYPE_AUDIO)) {
  open_codec();
}

void AudioDecoder::open_codec() {
  const AVCodec* decoder = avcodec_find_decoder(stream_.codecpar->codec_id);
  codec_.reset(allocated(avcodec_alloc_context3(decoder)));
  check(avcodec_parameters_to_context(codec_.get(), stream_.codecpar),
        name_ + ": audio parameters");
  codec_->pkt_timebase = stream_.time_base;  // to find the samples that are to be skipped
  codec_->thread_count = 1;
  check(avcodec_open2(codec_.get(), decoder, nullptr), name_ + ": cannot start its audio decoder");
}

// Decodes one packet, or with nullptr what the decoder still holds back.
void AudioDecoder::decode_packet(const AVPacket* packet) {
  bool is_lost = avcodec_send_packet(codec_.get(), packet) < 0;
  while (!is_lost) {
    const int status = avcodec_receive_frame(codec_.get(), frame_.get());
    if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) return;
    is_lost = status < 0;
    if (!is_lost) append_frame();
  }
  if (packet != nullptr) ++waveform_.num_lost_packets;
}

// Sets conversion_ up for frames of `format`; the first frame decides what they become.
void AudioDecoder::convert_from(const FrameFormat& format) {
  if (format.num_channels < 1 || format.num_channels > kMaxChannels)
    fail(MediaFailure::corrupt, "has " + std::to_string(format.num_channels) + " audio channels");
  if (format.sample_rate_hz < kLowestRateHz || format.sample_rate_hz > kHighestRateHz)
    fail(MediaFailure::corrupt,
         "has an audio rate of " + std::to_string(format.sample_rate_hz) + " Hz");
  if (waveform_.channels.empty()) {
    waveform_.sample_rate_hz = format.sample_rate_hz;
    waveform_.channels.resize(format.num_channels);
  }
  // Layouts by number alone: the channels keep their order, whatever the file calls them.
  auto from = layout_of(format.num_channels);
  auto to = layout_of(static_cast<int>(waveform_.channels.size()));
  SwrContext* raw = nullptr;
  check(swr_alloc_set_opts2(
            &raw, &to, AV_SAMPLE_FMT_FLTP, static_cast<int>(waveform_.sample_rate_hz), &from,
            static_cast<AVSampleFormat>(format.sample_format), format.sample_rate_hz, 0, nullptr),
        name_ + ": audio format");
  conversion_.reset(raw);
  check(swr_init(raw), name_ + ": audio format");
  converted_format_ = format;
}

void AudioDecoder::append_frame() {
  const FrameFormat format{frame_->format, frame_->sample_rate, frame_->ch_layout.nb_channels};
  if (format != converted_format_) convert_from(format);
  const int room = check(swr_get_out_samples(conversion_.get(), frame_->nb_samples),
                         name_ + ": audio conversion");
  check_length(room);
  const std::int64_t old_length = waveform_.num_samples();
  std::array<std::uint8_t*, kMaxChannels> planes{};
  for (std::size_t i = 0; i < waveform_.channels.size(); ++i) {
    auto& channel = waveform_.channels[i];
    channel.resize(old_length + room);
    planes[i] = reinterpret_cast<std::uint8_t*>(channel.data() + old_length);
  }
  const int num_written = check(
      swr_convert(conversion_.get(), planes.data(), room,
                  const_cast<const std::uint8_t**>(frame_->extended_data), frame_->nb_samples),
      name_ + ": audio conversion");
  for (auto& channel : waveform_.channels) {
    channel.resize(old_length + num_written);
    if (!std::all_of(channel.begin() + old_length, channel.end(), is_sample))
      fail(MediaFailure::corrupt, "its audio holds infinite values or values that are no numbers");
  }
}

void AudioDecoder::check_length(std::int64_t num_new_samples) const {
  const std::int64_t num_samples = waveform_.num_samples() + num_new_samples;
  const std::int64_t rate = waveform_.sample_rate_hz;
  const auto num_channels = static_cast<std::int64_t>(waveform_.channels.size());
  const std::int64_t num_counted = num_samples * std::max(rate, kCountedRateHz) / rate;
  if (num_counted > max_values_ / num_channels)
    fail(MediaFailure::timeout, "its audio is too long: more than " +
                                    std::to_string(num_samples / rate) + " s of " +
                                    std::to_string(num_channels) + " channels");
}

Waveform AudioDecoder::decode() {
  while (input_.read(*packet_)) {
    if (av_packet_get_side_data(packet_.get(), AV_PKT_DATA_ENCRYPTION_INFO, nullptr) != nullptr)
      fail(MediaFailure::encrypted, "its audio is encrypted");
    ++num_packets_;
    decode_packet(packet_.get());
  }
  decode_packet(nullptr);
  const bool expects_samples = num_packets_ > 0 || stream_.nb_frames > 0 || stream_.duration > 0;
  if (expects_samples && waveform_.num_samples() == 0)
    fail(MediaFailure::corrupt, "none of its audio can be decoded");
  if (waveform_.num_lost_packets * kLostShare > num_packets_)
    fail(MediaFailure::too_many_concealed, std::to_string(waveform_.num_lost_packets) + " of " +
                                               std::to_string(num_packets_) +
                                               " audio packets cannot be decoded");
  return std::move(waveform_);
}

}  // namespace

Waveform read_audio(const FileRange& file, const AudioOptions& options) {
  return AudioDecoder(file, options).decode();
}

}  // namespace vllama::media
