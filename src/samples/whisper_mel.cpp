#include "samples/whisper_mel.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <numeric>

#include "core/error.h"

namespace vllama::samples {
namespace {

constexpr std::int64_t kFrameSamples = 400;
constexpr std::int64_t kHalfFrame = kFrameSamples / 2;
constexpr double kWhisperHighestHz = 8000;
constexpr double kFaintestEnergy = 1e-10;
constexpr double kLogRange = 8;

// Slaney's scale: 3 mel per 200 Hz up to 1000 Hz, then 27 for each factor of 6.4.
constexpr double kMelPerHz = 3.0 / 200;
constexpr double kLinearHz = 1000;
const double kMelPerLog = 27 / std::log(6.4);

double slaney_of_hz(double hz) {
  if (hz < kLinearHz) return hz * kMelPerHz;
  return kLinearHz * kMelPerHz + std::log(hz / kLinearHz) * kMelPerLog;
}

double hz_of_slaney(double mel) {
  const double linear_mel = kLinearHz * kMelPerHz;
  if (mel < linear_mel) return mel / kMelPerHz;
  return kLinearHz * std::exp((mel - linear_mel) / kMelPerLog);
}

// Mirrored at both ends, which are not repeated.
std::int64_t mirrored(std::int64_t index, std::int64_t count) {
  if (index < 0) return -index;
  return index < count ? index : 2 * (count - 1) - index;
}

}  // namespace

WhisperMel::WhisperMel(std::int64_t num_bins) : transform_(kFrameSamples), window_(kFrameSamples) {
  for (std::int64_t i = 0; i < kFrameSamples; ++i)
    window_[i] =
        0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) / kFrameSamples);
  const double spacing = slaney_of_hz(kWhisperHighestHz) / static_cast<double>(num_bins + 1);
  constexpr double kHzPerBin = static_cast<double>(kWhisperRateHz) / kFrameSamples;
  for (std::int64_t mel_bin = 0; mel_bin < num_bins; ++mel_bin) {
    const double left = hz_of_slaney(static_cast<double>(mel_bin) * spacing),
                 middle = hz_of_slaney(static_cast<double>(mel_bin + 1) * spacing),
                 right = hz_of_slaney(static_cast<double>(mel_bin + 2) * spacing);
    Triangle triangle{0, 0, static_cast<std::int64_t>(weights_.size())};
    for (std::int64_t bin = 0; bin <= kHalfFrame; ++bin) {
      const double hz = static_cast<double>(bin) * kHzPerBin;
      const double height =
          std::min((hz - left) / (middle - left), (right - hz) / (right - middle));
      if (height <= 0) continue;
      if (triangle.num_bins++ == 0) triangle.first_bin = bin;
      weights_.push_back(height * 2 / (right - left));
    }
    triangles_.push_back(triangle);
  }
}

// `num_samples` with the silence behind `samples`.
void WhisperMel::load_frame(std::span<const float> samples, std::int64_t num_samples,
                            std::int64_t frame) {
  const auto input = transform_.input();
  const std::int64_t first = frame * kWhisperShiftSamples - kHalfFrame;
  for (std::int64_t i = 0; i < kFrameSamples; ++i) {
    const std::int64_t place = mirrored(first + i, num_samples);
    input[i] = place < std::ssize(samples) ? samples[place] * window_[i] : 0.0;
  }
}

void WhisperMel::operator()(std::span<const float> samples, std::int64_t num_frames, float* out) {
  const std::int64_t num_samples = num_frames * kWhisperShiftSamples;
  VLLAMA_ASSERT(std::ssize(samples) <= num_samples && num_samples >= kFrameSamples,
                "a sound fits the frames that are asked for");
  const auto num_bins = std::ssize(triangles_);
  std::fill_n(out, num_bins * num_frames, static_cast<float>(std::log10(kFaintestEnergy)));
  std::vector<double> power(kHalfFrame + 1);
  for (std::int64_t frame = 0; frame < num_frames; ++frame) {
    // Behind the sound all is silent, up to where its end is mirrored.
    if (frame * kWhisperShiftSamples - kHalfFrame >= std::ssize(samples)) break;
    load_frame(samples, num_samples, frame);
    const auto spectrum = transform_.run();
    for (std::size_t bin = 0; bin < power.size(); ++bin) power[bin] = std::norm(spectrum[bin]);
    for (std::int64_t mel_bin = 0; mel_bin < num_bins; ++mel_bin) {
      const Triangle& triangle = triangles_[mel_bin];
      const auto first = power.begin() + triangle.first_bin;
      const double energy = std::inner_product(first, first + triangle.num_bins,
                                               weights_.begin() + triangle.first_weight, 0.0);
      out[mel_bin * num_frames + frame] =
          static_cast<float>(std::log10(std::max(energy, kFaintestEnergy)));
    }
  }
  const std::span values(out, num_bins * num_frames);
  const float lowest = std::ranges::max(values) - static_cast<float>(kLogRange);
  for (float& value : values) value = (std::max(value, lowest) + 4) / 4;
}

}  // namespace vllama::samples
