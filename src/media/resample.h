// Changes the sample rate of sound with a windowed sinc, as torchaudio does by default.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/waveform.h"

namespace vllama::media {

// A polyphase low-pass filter from one rate to another: sinc under a squared-cosine window that
// ends at the sixth zero crossing, cut off at 0.99 of the lower Nyquist frequency
// (torchaudio.functional.resample with its default arguments). Both rates must be positive.
class SincResampler {
 public:
  SincResampler(std::int64_t from_hz, std::int64_t to_hz);

  // ceil(num_samples * to / from).
  std::int64_t output_length(std::int64_t num_samples) const;
  // The whole signal at the new rate; silence is assumed on both sides of it.
  std::vector<float> operator()(std::span<const float> signal) const;

 private:
  void fill_phase(std::int64_t phase, double base_frequency);

  std::int64_t input_step_;              // from / gcd: input samples per period
  std::int64_t output_step_;             // to / gcd: output samples (phases) per period
  std::int64_t width_;                   // taps on either side of an output sample
  std::int64_t num_taps_;                // per phase, a multiple of the accumulators used
  std::vector<std::int64_t> first_tap_;  // per phase: offset of its first tap, -width_ or more
  std::vector<float> taps_;              // [phase][tap]
};

// All channels of `waveform` at `to_hz`; the same samples if that is its rate already, and nothing
// changes in a waveform without samples.
Waveform resample(Waveform waveform, std::int64_t to_hz);

}  // namespace vllama::media
