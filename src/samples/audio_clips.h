// Sound as ImageBind's audio encoder takes it: clips spread over the signal, as mel spectrograms.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "media/waveform.h"
#include "samples/audio_clip_config.h"
#include "samples/compat.h"
#include "samples/encoder_input.h"
#include "samples/mel_size.h"

namespace vllama::samples {

// Samples [begin, end) at 16 kHz.
struct ClipSpan {
  std::int64_t begin, end;
};

// Clip k of n starts at k/n of the time between 0 and the last possible start (pytorchvideo 0.1.5,
// constant clips per video) and lasts 2 s, cut at the end of the sound. In sounds of up to 2 s all
// clips are the same.
std::vector<ClipSpan> clip_spans(std::int64_t num_samples, std::int64_t num_clips);

// Float [num_clips, 1, 128 mel bins, 204 frames], (ln energy + 4.268) / 9.138, where frames behind
// the end of a clip hold the value of ln energy = 0. Nothing for a sound of less than 400 samples
// at 16 kHz (25 ms), which has no frame: it counts as absent. Any rate and number of channels.
std::optional<at::Tensor> audio_clips(media::Waveform waveform, const AudioClipConfig& config = {},
                                      const Compat& compat = kNoCompat);

// What ImageBind's audio encoder reads: such clips.
SoundInput sound_clips();

}  // namespace vllama::samples
