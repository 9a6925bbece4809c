#include "media/resample.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/error.h"

namespace vllama::media {
namespace {

constexpr double kZeroCrossings = 6;
constexpr double kRolloff = 0.99;
// Independent sums, so that the compiler may compute them side by side.
constexpr std::int64_t kNumSums = 8;

float dot(const float* taps, const float* signal, std::int64_t num_taps) {
  std::array<float, kNumSums> sums{};
  for (std::int64_t tap = 0; tap < num_taps; tap += kNumSums)
    for (std::int64_t i = 0; i < kNumSums; ++i) sums[i] += taps[tap + i] * signal[tap + i];
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

// The continuous filter at `t` zero crossings from its centre, where its value is 1.
double windowed_sinc(double t) {
  if (std::abs(t) >= kZeroCrossings) return 0;
  const double window = std::cos(std::numbers::pi * t / kZeroCrossings / 2);
  const double angle = std::numbers::pi * t;
  return window * window * (angle == 0 ? 1 : std::sin(angle) / angle);
}

}  // namespace

SincResampler::SincResampler(std::int64_t from_hz, std::int64_t to_hz) {
  VLLAMA_ASSERT(from_hz > 0 && to_hz > 0, "sample rates must be positive");
  const std::int64_t divisor = std::gcd(from_hz, to_hz);
  input_step_ = from_hz / divisor;
  output_step_ = to_hz / divisor;
  const double base_frequency = kRolloff * static_cast<double>(std::min(input_step_, output_step_));
  width_ = static_cast<std::int64_t>(
      std::ceil(kZeroCrossings * static_cast<double>(input_step_) / base_frequency));
  num_taps_ = (2 * width_ + 1 + kNumSums - 1) / kNumSums * kNumSums;
  first_tap_.resize(output_step_);
  taps_.resize(output_step_ * num_taps_);
  for (std::int64_t phase = 0; phase < output_step_; ++phase) fill_phase(phase, base_frequency);
}

// Of the taps -width .. width + input_step - 1 of a phase, only those within six zero crossings of
// the output sample differ from zero; at most 2 * width + 1 are kept.
void SincResampler::fill_phase(std::int64_t phase, double base_frequency) {
  const std::int64_t centre = phase * input_step_ / output_step_;  // rounded down
  first_tap_[phase] = centre - width_ + 1;
  const double output_time = static_cast<double>(phase) / static_cast<double>(output_step_);
  for (std::int64_t i = 0; i < num_taps_; ++i) {
    const double input_time =
        static_cast<double>(first_tap_[phase] + i) / static_cast<double>(input_step_);
    taps_[phase * num_taps_ + i] =
        static_cast<float>(base_frequency / static_cast<double>(input_step_) *
                           windowed_sinc(base_frequency * (input_time - output_time)));
  }
}

std::int64_t SincResampler::output_length(std::int64_t num_samples) const {
  return (num_samples * output_step_ + input_step_ - 1) / input_step_;
}

std::vector<float> SincResampler::operator()(std::span<const float> signal) const {
  // The last output sample starts fewer than one input sample behind the signal's end.
  std::vector<float> padded(width_ + signal.size() + 1 + num_taps_);
  std::copy(signal.begin(), signal.end(), padded.begin() + width_);
  std::vector<float> result(output_length(static_cast<std::int64_t>(signal.size())));
  std::int64_t phase = 0, period_start = width_;
  for (float& sample : result) {
    sample = dot(&taps_[phase * num_taps_], &padded[period_start + first_tap_[phase]], num_taps_);
    if (++phase == output_step_) {
      phase = 0;
      period_start += input_step_;
    }
  }
  return result;
}

Waveform resample(Waveform waveform, std::int64_t to_hz) {
  if (waveform.sample_rate_hz == to_hz || waveform.num_samples() == 0) return waveform;
  const SincResampler resampler(waveform.sample_rate_hz, to_hz);
  for (auto& channel : waveform.channels) channel = resampler(channel);
  waveform.sample_rate_hz = to_hz;
  return waveform;
}

}  // namespace vllama::media
