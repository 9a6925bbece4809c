#include "media/audio.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
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
// A shorter distance between where samples are and where their time stamps place them is left as it
// is: stamps are rounded, and a packet that is lost is no pause. (FFmpeg's aresample=async=1.)
constexpr double kShortestGapSeconds = 0.1;
// At the beginning: less than stamps in milliseconds tell.
constexpr double kShortestDelaySeconds = 0.001;
// Stamps that go back by more are those of another clock.
constexpr double kLongestOverlapSeconds = 1;
// Farther than any recording lasts, and small enough to be added up.
constexpr double kFarthestPlace = 0x1p50;

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
  // How many samples of silence stand before the frame; a negative number of its samples is cut. A
  // sound without pictures is its samples, whatever their stamps.
  std::int64_t gap_before_frame();
  void append_silence(std::int64_t num_samples);
  void append_silence_under_pictures();
  // How many of the samples [position_, position_ + num_samples) belong to the part that is meant,
  // and where they begin.
  std::pair<std::int64_t, std::int64_t> wanted_of(std::int64_t num_samples) const;
  void check_length(std::int64_t num_new_samples) const;
  [[noreturn]] void fail(MediaFailure failure, const std::string& problem) const {
    throw MediaError(failure, name_ + ": " + problem);
  }

  std::string name_;  // the path in quotes, for messages
  AudioOptions options_;
  Input input_;
  AVStream& stream_;
  CodecContext codec_;
  Packet packet_ = make_packet();
  Frame frame_ = make_frame();
  Resampler conversion_;
  FrameFormat converted_format_;  // of the frames that conversion_ takes
  Waveform waveform_;             // what is kept of the line
  std::int64_t num_packets_ = 0;
  // On the file's time line, in samples.
  std::int64_t position_ = 0;                 // of the next sample
  std::int64_t begin_ = 0, end_ = 0;          // of the part that is meant
  double shift_seconds_ = 0;                  // for stamps that went back
  std::optional<double> last_stamp_seconds_;  // none before the first frame
  bool has_frames_ = false;
};

AudioDecoder::AudioDecoder(const FileRange& file, const AudioOptions& options)
    : name_(std::string("'").append(file.name()).append("'")),
      options_(options),
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
    const auto place = [&](double samples) {
      return static_cast<std::int64_t>(std::clamp(samples, 0.0, kFarthestPlace));
    };
    begin_ = place(std::floor(options_.start_seconds * format.sample_rate_hz));
    end_ = place(std::ceil(options_.end_seconds * format.sample_rate_hz));
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

std::int64_t AudioDecoder::gap_before_frame() {
  const bool is_first = !std::exchange(has_frames_, true);
  const bool has_pictures = input_.find_stream(AVMEDIA_TYPE_VIDEO) != nullptr;
  if (!has_pictures || frame_->best_effort_timestamp == AV_NOPTS_VALUE) return 0;
  const auto rate = static_cast<double>(waveform_.sample_rate_hz);
  double stamp = static_cast<double>(frame_->best_effort_timestamp) * av_q2d(stream_.time_base) -
                 input_.zero_seconds();
  // A clock that begins anew: the sound goes on.
  if (last_stamp_seconds_ && stamp < *last_stamp_seconds_ - kLongestOverlapSeconds)
    shift_seconds_ = static_cast<double>(position_) / rate - stamp;
  last_stamp_seconds_ = stamp;
  stamp += shift_seconds_;
  const double gap =
      std::clamp(std::round(stamp * rate), -kFarthestPlace, kFarthestPlace) - position_;
  const double shortest = is_first ? kShortestDelaySeconds : kShortestGapSeconds;
  return std::abs(gap) > shortest * rate ? static_cast<std::int64_t>(gap) : 0;
}

std::pair<std::int64_t, std::int64_t> AudioDecoder::wanted_of(std::int64_t num_samples) const {
  const std::int64_t begin = std::clamp(begin_ - position_, std::int64_t{0}, num_samples);
  const std::int64_t end = std::clamp(end_ - position_, begin, num_samples);
  return {begin, end - begin};
}

void AudioDecoder::append_silence(std::int64_t num_samples) {
  const std::int64_t num_wanted = wanted_of(num_samples).second;
  check_length(num_wanted);
  for (auto& channel : waveform_.channels)
    channel.resize(channel.size() + static_cast<std::size_t>(num_wanted), 0);
  position_ += num_samples;
}

void AudioDecoder::append_frame() {
  const FrameFormat format{frame_->format, frame_->sample_rate, frame_->ch_layout.nb_channels};
  if (format != converted_format_) convert_from(format);
  const std::int64_t gap = gap_before_frame();
  if (gap > 0) append_silence(gap);
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
  const std::int64_t num_written = check(
      swr_convert(conversion_.get(), planes.data(), room,
                  const_cast<const std::uint8_t**>(frame_->extended_data), frame_->nb_samples),
      name_ + ": audio conversion");
  const std::int64_t num_cut = std::min(std::max<std::int64_t>(-gap, 0), num_written);
  const auto [begin, count] = wanted_of(num_written - num_cut);
  for (auto& channel : waveform_.channels) {
    const auto added = channel.begin() + old_length;
    if (!std::all_of(added, added + num_written, is_sample))
      fail(MediaFailure::corrupt, "its audio holds infinite values or values that are no numbers");
    std::copy_n(added + num_cut + begin, count, added);
    channel.resize(old_length + count);
  }
  position_ += num_written - num_cut;
}

// The pictures' end is not always known better than by a tenth of a second, nor do codecs end sound
// with the last picture.
void AudioDecoder::append_silence_under_pictures() {
  if (!has_frames_ || !input_.pictures_end_seconds()) return;
  const auto rate = static_cast<double>(waveform_.sample_rate_hz);
  const double missing =
      std::min(*input_.pictures_end_seconds() * rate, kFarthestPlace) - position_;
  const bool has_nothing = waveform_.num_samples() == 0;
  if (missing > (has_nothing ? 0 : kShortestGapSeconds * rate))
    append_silence(static_cast<std::int64_t>(std::round(missing)));
}

void AudioDecoder::check_length(std::int64_t num_new_samples) const {
  const std::int64_t num_samples = waveform_.num_samples() + num_new_samples;
  const std::int64_t rate = waveform_.sample_rate_hz;
  const auto num_channels = static_cast<std::int64_t>(waveform_.channels.size());
  const std::int64_t most = options_.max_values / num_channels;
  // An absurd length is told first: multiplied it would not fit.
  if (num_samples > most || num_samples * std::max(rate, kCountedRateHz) / rate > most)
    fail(MediaFailure::timeout, "its audio is too long: more than " +
                                    std::to_string(num_samples / rate) + " s of " +
                                    std::to_string(num_channels) + " channels");
}

Waveform AudioDecoder::decode() {
  const auto is_done = [&] { return has_frames_ && position_ >= end_; };
  while (!is_done() && input_.read(*packet_)) {
    if (av_packet_get_side_data(packet_.get(), AV_PKT_DATA_ENCRYPTION_INFO, nullptr) != nullptr)
      fail(MediaFailure::encrypted, "its audio is encrypted");
    ++num_packets_;
    decode_packet(packet_.get());
  }
  decode_packet(nullptr);
  const bool expects_samples = num_packets_ > 0 || stream_.nb_frames > 0 || stream_.duration > 0;
  if (expects_samples && !has_frames_)
    fail(MediaFailure::corrupt, "none of its audio can be decoded");
  append_silence_under_pictures();
  if (has_frames_ && waveform_.num_samples() == 0)
    fail(MediaFailure::empty, fmt::format("has nothing between {} and {} s", options_.start_seconds,
                                          options_.end_seconds));
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
