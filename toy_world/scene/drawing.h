// Pictures of a scene.
#pragma once

#include <cstdint>
#include <vector>

#include "toy_world/scene/scene.h"

namespace vllama::toy {

// The picture at `time` (0 to 1): kSide x kSide x 3 bytes, rows from the top, RGB. `frame` names
// the noise of the picture.
std::vector<std::uint8_t> draw_picture(const Scene& scene, double time, std::uint64_t frame);

}  // namespace vllama::toy
