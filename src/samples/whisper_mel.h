// Log-mel spectrograms as Whisper's encoder takes them (arXiv 2212.04356; WhisperFeatureExtractor
// of transformers).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/fourier.h"

namespace vllama::samples {

inline constexpr std::int64_t kWhisperRateHz = 16000;
inline constexpr std::int64_t kWhisperShiftSamples = 160;  // from frame to frame: 10 ms
inline constexpr std::int64_t kWhisperFramesPerToken =
    2;  // of the encoder, which makes 50 a second

// `num_bins` triangles of equal area between 0 and 8000 Hz on Slaney's mel scale (linear up to 1000
// Hz, then logarithmic), over the power spectrum of frames of 400 samples under a periodic Hann
// window. An object may be used by one thread at a time.
class WhisperMel {
 public:
  explicit WhisperMel(std::int64_t num_bins);

  // Of at most `num_frames` * 160 `samples` at 16 kHz, with silence behind them, writes num_bins x
  // num_frames numbers: x = log10(max(energy, 1e-10)), not below the largest of them less 8, as
  // (x + 4) / 4. Frame t is centred at sample 160 t; the sound is mirrored at both ends.
  void operator()(std::span<const float> samples, std::int64_t num_frames, float* out);

 private:
  // The frequencies that lie under a triangle; their weights are in weights_.
  struct Triangle {
    std::int64_t first_bin, num_bins, first_weight;
  };

  void load_frame(std::span<const float> samples, std::int64_t num_samples, std::int64_t frame);

  media::RealTransform transform_;
  std::vector<double> window_;
  std::vector<Triangle> triangles_;
  std::vector<double> weights_;
};

}  // namespace vllama::samples
