#include "samples/audio_clips.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "core/error.h"
#include "media/resample.h"
#include "samples/downmix.h"
#include "samples/mel.h"

namespace vllama::samples {
namespace {

constexpr std::int64_t kClipSeconds = 2;
constexpr float kMelMean = -4.268f;
constexpr float kMelDeviation = 9.138f;

using Channels = std::vector<std::vector<float>>;

// Floor of `seconds` * numerator / denominator, exactly: a double is a 53-bit integer times a power
// of two. Requires 0 or 2^-40 <= seconds < 2^31, and factors below 2^40.
std::int64_t floor_of_product(double seconds, std::int64_t numerator, std::int64_t denominator) {
  int exponent = 0;
  const double fraction = std::frexp(seconds, &exponent);
  constexpr int kMantissaBits = std::numeric_limits<double>::digits;
  const int shift = kMantissaBits - exponent;
  __extension__ using Wide = __int128;
  const Wide product = static_cast<Wide>(std::ldexp(fraction, kMantissaBits)) * numerator;
  return static_cast<std::int64_t>((product / denominator) >> shift);
}

// Subtracts the mean over all channels of the span from the span.
void centre(Channels& channels, ClipSpan span) {
  double sum = 0;
  for (const auto& channel : channels)
    sum = std::accumulate(channel.begin() + span.begin, channel.begin() + span.end, sum);
  const auto count =
      static_cast<double>(channels.size()) * static_cast<double>(span.end - span.begin);
  const auto mean = static_cast<float>(sum / count);
  for (auto& channel : channels)
    for (std::int64_t i = span.begin; i < span.end; ++i) channel[i] -= mean;
}

Channels cut(const Channels& channels, ClipSpan span) {
  Channels result;
  for (const auto& channel : channels)
    result.emplace_back(channel.begin() + span.begin, channel.begin() + span.end);
  return result;
}

// [frames][bins] -> [bins][204], cut or padded with zeros, then normalised.
void write_normalised(std::span<const float> log_mel, float* out) {
  const auto num_frames = static_cast<std::int64_t>(log_mel.size()) / kNumMelBins;
  for (std::int64_t bin = 0; bin < kNumMelBins; ++bin)
    for (std::int64_t frame = 0; frame < kAudioClipFrames; ++frame) {
      const float value = frame < num_frames ? log_mel[frame * kNumMelBins + bin] : 0.0f;
      *out++ = (value - kMelMean) / kMelDeviation;
    }
}

}  // namespace

std::vector<ClipSpan> clip_spans(std::int64_t num_samples, std::int64_t num_clips) {
  VLLAMA_ASSERT(num_samples >= 0 && num_clips >= 1, "clips of a sound need a sound");
  const double seconds = static_cast<double>(num_samples) / kMelSampleRateHz;
  const double last_start = std::max(seconds - kClipSeconds, 0.0);
  std::vector<ClipSpan> spans;
  for (std::int64_t clip = 0; clip < num_clips; ++clip) {
    const std::int64_t begin = floor_of_product(last_start, clip * kMelSampleRateHz, num_clips);
    spans.push_back({begin, std::min(begin + kClipSeconds * kMelSampleRateHz, num_samples)});
  }
  return spans;
}

std::optional<at::Tensor> audio_clips(media::Waveform waveform, const AudioClipConfig& config,
                                      const Compat& compat) {
  waveform = media::resample(std::move(waveform), kMelSampleRateHz);
  if (num_mel_frames(waveform.num_samples()) == 0) return std::nullopt;

  const auto spans = clip_spans(waveform.num_samples(), config.num_clips);
  at::Tensor result = at::empty({config.num_clips, 1, kNumMelBins, kAudioClipFrames}, at::kFloat);
  constexpr std::int64_t kValuesPerClip = kNumMelBins * kAudioClipFrames;
  auto* out = result.mutable_data_ptr<float>();
  MelFilterBank filter_bank;
  for (std::size_t k = 0; k < spans.size(); ++k, out += kValuesPerClip) {
    if (compat.centres_sound_in_place) {
      centre(waveform.channels, spans[k]);
    } else if (k > 0 && spans[k].begin == spans[k - 1].begin) {
      std::copy_n(out - kValuesPerClip, kValuesPerClip, out);
      continue;
    }
    Channels clip = cut(waveform.channels, spans[k]);
    if (!compat.centres_sound_in_place) centre(clip, {0, spans[k].end - spans[k].begin});
    write_normalised(filter_bank(downmixed(clip, config.downmix)), out);
  }
  return result;
}

SoundInput sound_clips() {
  return {.units = [](media::Waveform waveform, const AudioClipConfig& config,
                      const Compat& compat) -> std::optional<SoundUnits> {
    auto clips = audio_clips(std::move(waveform), config, compat);
    if (!clips) return std::nullopt;
    return SoundUnits{.values = *std::move(clips)};
  }};
}

}  // namespace vllama::samples
