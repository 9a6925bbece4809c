// What a scene sounds like.
#pragma once

#include <vector>

#include "toy_world/scene/scene.h"

namespace vllama::toy {

inline constexpr int kSoundRate = 16000;  // samples a second

// Mono samples from -1 to 1 of the seconds `begin` to `end` of the clip: every shape sounds while
// it is visible. The same numbers whichever part is asked for.
std::vector<float> play(const Scene& scene, double begin = 0, double end = kClipSeconds);

}  // namespace vllama::toy
