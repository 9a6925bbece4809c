// Sound as ImageBind's audio encoder takes it: clips spread over the signal, as mel spectrograms.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/fields.h"
#include "media/waveform.h"
#include "samples/compat.h"

namespace vllama::samples {

// What becomes of several channels.
enum class Downmix { first, mean };
constexpr auto names_of(Downmix) {
  return config::EnumNames<Downmix, 2>{{{Downmix::first, "first"}, {Downmix::mean, "mean"}}};
}

struct AudioClipConfig {
  std::int64_t num_clips = 8;
  Downmix downmix = Downmix::first;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("num_clips", num_clips, "clips of 2 s per sound; at most the encoder's audio positions",
          config::AtLeast<std::int64_t>{1});
    field("downmix", downmix, "what becomes of several channels: the first one, or their mean");
  }
};

// Samples [begin, end) at 16 kHz.
struct ClipSpan {
  std::int64_t begin, end;
};

// Clip k of n starts at k/n of the time between 0 and the last possible start (pytorchvideo 0.1.5,
// constant clips per video) and lasts 2 s, cut at the end of the sound. In sounds of up to 2 s all
// clips are the same.
std::vector<ClipSpan> clip_spans(std::int64_t num_samples, std::int64_t num_clips);

inline constexpr std::int64_t kAudioClipFrames = 204;

// Float [num_clips, 1, 128 mel bins, 204 frames], (ln energy + 4.268) / 9.138, where frames behind
// the end of a clip hold the value of ln energy = 0. Nothing for a sound of less than 400 samples
// at 16 kHz (25 ms), which has no frame: it counts as absent. Any rate and number of channels.
std::optional<at::Tensor> audio_clips(media::Waveform waveform, const AudioClipConfig& config = {},
                                      const Compat& compat = kNoCompat);

}  // namespace vllama::samples
