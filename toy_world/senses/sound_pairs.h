// Pictures with the sound around them.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

#include "toy_world/senses/clip_file.h"
#include "toy_world/senses/pictures.h"

namespace vllama::toy {

// Of every picture the two seconds of its scene's sound with its time in their middle, moved into
// the clip where they would reach out of it, as the audio encoder takes them: [N, 1, 128 mel bins,
// 204 frames] float. Throws UserError for Carrier::clip where FFmpeg lacks its encoders.
at::Tensor sounds_around(std::span<const Picture> pictures, Carrier carrier);

struct SoundPairs {
  std::vector<Picture> pictures;
  at::Tensor sounds_N1MT;             // fp16, to be small; every other block from a clip's file
  std::vector<std::string> contents;  // the kinds to be seen, in the order of their words
};

// Pairs that `seed` names.
SoundPairs draw_sound_pairs(std::int64_t count, std::uint64_t seed);

}  // namespace vllama::toy
