// Scenes as media files.
#pragma once

#include <string>

#include "toy_world/scene/scene.h"

namespace vllama::toy {

inline constexpr int kPicturesPerSecond = 4;

// An MP4 of `num_seconds` with the scene's pictures and sound. The times of a scene are shares of
// the clip, so a longer clip is a slower one. Picture i of n shows the time (i + 0.5) / n.
std::string clip_bytes(const Scene& scene, int num_seconds);

// A JPEG of the scene at `time`.
std::string image_bytes(const Scene& scene, double time);

// A WAV of the scene's sound, as long as a clip.
std::string sound_bytes(const Scene& scene);

}  // namespace vllama::toy
