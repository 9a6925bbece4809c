// A whole sound as Whisper's encoder takes it: pieces behind one another, as mel spectrograms.
#pragma once

#include <cstdint>

#include "samples/encoder_input.h"

namespace vllama::samples {

// Pieces of `tokens_per_piece` / 50 s (1500: 30 s), the last one with silence behind it: float
// [K, num_mel_bins, 2 * tokens_per_piece]. The tokens that the encoder makes of that silence are
// padding: of a sound only those that begin within it are heard. Nothing for less than 25 ms.
SoundInput whole_sound(std::int64_t num_mel_bins, std::int64_t tokens_per_piece);

}  // namespace vllama::samples
