// Pictures with the sound around them.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "toy_world/base/pictures.h"

namespace vllama::toy {

// Two seconds of sound of the scene with `time` (of the clip) in their middle, moved into the clip
// where they would reach out of it, as the audio encoder takes them: [1, 128 mel bins, 204 frames]
// float.
at::Tensor sound_around(const Scene& scene, double time);

struct SoundPairs {
  std::vector<Picture> pictures;
  at::Tensor sounds_N1MT;             // fp16, to be small
  std::vector<std::string> contents;  // the kinds to be seen, in the order of their words
};

// Pairs 0 to count - 1 of those that `seed` names.
SoundPairs draw_sound_pairs(std::int64_t count, std::uint64_t seed);

}  // namespace vllama::toy
