#include "samples/mel.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <numeric>

namespace vllama::samples {
namespace {

constexpr int kTransformLength = 512;
constexpr double kPreEmphasis = 0.97;
constexpr double kLowestHz = 20;
constexpr double kHighestHz = 8000;
constexpr double kSmallestEnergy = std::numeric_limits<float>::epsilon();

double mel_of_hz(double hz) {
  return 1127 * std::log1p(hz / 700);
}

}  // namespace

std::int64_t num_mel_frames(std::int64_t num_samples) {
  if (num_samples < kMelFrameSamples) return 0;
  return 1 + (num_samples - kMelFrameSamples) / kMelShiftSamples;
}

MelFilterBank::MelFilterBank() : transform_(kTransformLength), window_(kMelFrameSamples) {
  for (std::int64_t i = 0; i < kMelFrameSamples; ++i)
    window_[i] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) /
                                      (kMelFrameSamples - 1));

  const double lowest = mel_of_hz(kLowestHz);
  const double spacing = (mel_of_hz(kHighestHz) - lowest) / (kNumMelBins + 1);
  constexpr double kHzPerBin = static_cast<double>(kMelSampleRateHz) / kTransformLength;
  for (std::int64_t mel_bin = 0; mel_bin < kNumMelBins; ++mel_bin) {
    const double left = lowest + static_cast<double>(mel_bin) * spacing;
    Triangle triangle{0, 0, static_cast<std::int64_t>(weights_.size())};
    for (std::int64_t bin = 0; bin < kTransformLength / 2; ++bin) {
      const double position = (mel_of_hz(static_cast<double>(bin) * kHzPerBin) - left) / spacing;
      const double weight = std::min(position, 2 - position);
      if (weight <= 0) continue;
      if (triangle.num_bins++ == 0) triangle.first_bin = bin;
      weights_.push_back(weight);
    }
    triangles_.push_back(triangle);
  }
}

// Writes one frame into the transform: mean removed, pre-emphasised (the first sample is its own
// predecessor), windowed, padded with zeros.
void MelFilterBank::load_frame(std::span<const float> frame) {
  const auto input = transform_.input();
  const double mean =
      std::accumulate(frame.begin(), frame.end(), 0.0) / static_cast<double>(frame.size());
  double previous = frame[0] - mean;
  for (std::size_t i = 0; i < frame.size(); ++i) {
    const double sample = frame[i] - mean;
    input[i] = (sample - kPreEmphasis * previous) * window_[i];
    previous = sample;
  }
  std::fill(input.begin() + static_cast<std::ptrdiff_t>(frame.size()), input.end(), 0.0);
}

std::vector<float> MelFilterBank::operator()(std::span<const float> samples) {
  const std::int64_t num_frames = num_mel_frames(static_cast<std::int64_t>(samples.size()));
  std::vector<float> result;
  result.reserve(num_frames * kNumMelBins);
  std::vector<double> power(kTransformLength / 2);
  for (std::int64_t frame = 0; frame < num_frames; ++frame) {
    load_frame(samples.subspan(frame * kMelShiftSamples, kMelFrameSamples));
    const auto spectrum = transform_.run();
    for (std::size_t bin = 0; bin < power.size(); ++bin) power[bin] = std::norm(spectrum[bin]);
    for (const Triangle& triangle : triangles_) {
      const auto first = power.begin() + triangle.first_bin;
      const double energy = std::inner_product(first, first + triangle.num_bins,
                                               weights_.begin() + triangle.first_weight, 0.0);
      result.push_back(static_cast<float>(std::log(std::max(energy, kSmallestEnergy))));
    }
  }
  return result;
}

}  // namespace vllama::samples
