// Pictures that base models learn from: any scene at any time, as they look behind a codec.
#pragma once

#include <cstdint>
#include <vector>

#include "toy_world/scene/scene.h"

namespace vllama::toy {

struct Picture {
  Scene scene;
  double time;
  std::vector<std::uint8_t> pixels;  // kSide x kSide x 3, rows from the top, RGB
};

// Scenes of the base models: their pairs of kind and colour are not restricted.
inline constexpr SceneRules kBaseRules{.pairs = Pairs::all};

// A random scene at a random time; two thirds of the pictures are worn.
Picture draw_picture(RandomStream& random, const SceneRules& rules = kBaseRules);
// A given scene.
Picture draw_picture(Scene scene, double time, RandomStream& random);

// What compression does to pictures: colour at half the resolution, some pictures smoother, some
// noisier.
void wear(std::vector<std::uint8_t>& pixels, RandomStream& random);

}  // namespace vllama::toy
