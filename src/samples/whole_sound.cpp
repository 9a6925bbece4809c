#include "samples/whole_sound.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <span>

#include "core/divided_up.h"
#include "media/resample.h"
#include "samples/downmix.h"
#include "samples/whisper_mel.h"

namespace vllama::samples {
namespace {

constexpr std::int64_t kFewestSamples = 400;
constexpr std::int64_t kSamplesPerToken = kWhisperFramesPerToken * kWhisperShiftSamples;

std::optional<SoundUnits> pieces(media::Waveform waveform, Downmix downmix,
                                 std::int64_t num_mel_bins, std::int64_t tokens_per_piece) {
  waveform = media::resample(std::move(waveform), kWhisperRateHz);
  if (waveform.num_samples() < kFewestSamples) return std::nullopt;
  const std::vector<float> sound = downmixed(waveform.channels, downmix);
  const std::int64_t num_samples = std::ssize(sound);
  const std::int64_t piece_samples = tokens_per_piece * kSamplesPerToken;
  const std::int64_t num_pieces = divided_up(num_samples, piece_samples);
  const std::int64_t num_frames = tokens_per_piece * kWhisperFramesPerToken;
  SoundUnits units{.values = at::empty({num_pieces, num_mel_bins, num_frames}, at::kFloat)};
  WhisperMel mel(num_mel_bins);
  auto* out = units.values.mutable_data_ptr<float>();
  for (std::int64_t begin = 0; begin < num_samples; begin += piece_samples) {
    const auto length = static_cast<std::size_t>(std::min(piece_samples, num_samples - begin));
    mel(std::span(sound).subspan(static_cast<std::size_t>(begin), length), num_frames, out);
    out += num_mel_bins * num_frames;
  }
  units.num_padding = num_pieces * tokens_per_piece - divided_up(num_samples, kSamplesPerToken);
  return units;
}

}  // namespace

SoundInput whole_sound(std::int64_t num_mel_bins, std::int64_t tokens_per_piece) {
  return {
      .units =
          [=](media::Waveform waveform, const AudioClipConfig& config, const Compat& /*compat*/) {
            return pieces(std::move(waveform), config.downmix, num_mel_bins, tokens_per_piece);
          },
      .takes_clips = false};
}

}  // namespace vllama::samples
