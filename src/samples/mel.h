// Log mel energies of sound as Kaldi defines them, with ImageBind's settings.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "media/fourier.h"
#include "samples/mel_size.h"

namespace vllama::samples {

// Whole frames that fit into `num_samples`: none below kMelFrameSamples.
std::int64_t num_mel_frames(std::int64_t num_samples);

// 128 triangles between 20 and 8000 Hz with edges equally spaced on the scale 1127 ln(1 + f/700),
// over the power spectrum of frames without mean, pre-emphasised by 0.97, under a symmetric Hann
// window, padded to 512 samples (Kaldi's compute-fbank-feats; torchaudio.compliance.kaldi.fbank
// with htk_compat, dither 0, no energy). An object may be used by one thread at a time.
class MelFilterBank {
 public:
  MelFilterBank();

  // `samples` at 16 kHz -> ln(max(energy, 2^-23)), row-major [num_mel_frames, kNumMelBins].
  std::vector<float> operator()(std::span<const float> samples);

 private:
  // The bins of the power spectrum that lie under a triangle; their weights are in weights_.
  struct Triangle {
    std::int64_t first_bin, num_bins, first_weight;
  };

  void load_frame(std::span<const float> frame);

  media::RealTransform transform_;
  std::vector<double> window_;
  std::vector<Triangle> triangles_;
  std::vector<double> weights_;
};

}  // namespace vllama::samples
