// Sizes of image towers that tests can afford.
#pragma once

#include "encoders/clip.h"
#include "encoders/eva.h"

namespace vllama::test {

struct TowerSide {
  std::int64_t image_size, patch_size;  // pixels
};

// Of any kind, with two heads.
template <class Sizes>
Sizes small_tower(const TowerSide& side, std::int64_t width, std::int64_t num_blocks,
                  std::int64_t mlp_width) {
  Sizes sizes;
  sizes.image_size = side.image_size;
  sizes.patch_size = side.patch_size;
  sizes.width = width;
  sizes.num_blocks = num_blocks;
  sizes.num_heads = 2;
  sizes.mlp_width = mlp_width;
  return sizes;
}

}  // namespace vllama::test
