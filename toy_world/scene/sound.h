// What a scene sounds like.
#pragma once

#include <vector>

#include "toy_world/scene/scene.h"

namespace vllama::toy {

inline constexpr int kSoundRate = 16000;  // samples a second

// Mono samples from -1 to 1 of the seconds `begin` to `end` of a clip that lasts `clip_seconds`:
// every shape sounds while it is visible. The same numbers whichever part is asked for.
std::vector<float> play(const Scene& scene, double begin = 0, double end = kClipSeconds,
                        double clip_seconds = kClipSeconds);

}  // namespace vllama::toy
