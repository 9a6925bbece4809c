// A square grid of patches, with a class token in front or without.
#pragma once

#include <ATen/core/Tensor.h>

#include <cmath>
#include <cstdint>
#include <optional>

namespace vllama::encoders {

// How many patches its side has; nothing if so many tokens make no such grid.
inline std::optional<std::int64_t> grid_side(std::int64_t num_tokens,
                                             std::int64_t num_class_tokens = 1) {
  const std::int64_t num_patches = num_tokens - num_class_tokens;
  if (num_patches < 1) return std::nullopt;
  const auto side = std::llround(std::sqrt(static_cast<double>(num_patches)));
  if (side * side != num_patches) return std::nullopt;
  return side;
}

// The side of the picture, in pixels.
inline std::optional<std::int64_t> image_side(std::optional<std::int64_t> num_tokens,
                                              std::int64_t patch_size) {
  const auto side = num_tokens ? grid_side(*num_tokens) : std::nullopt;
  if (!side) return std::nullopt;
  return *side * patch_size;
}

// Position rows for another image size: class rows are kept, the grid is resized bicubically
// (align_corners false, a = -0.75). positions_1LD -> [1, num_tokens, D], fp32; unchanged when L
// fits. Both numbers of tokens must make a grid.
at::Tensor resize_positions(const at::Tensor& positions_1LD, std::int64_t num_tokens,
                            std::int64_t num_class_tokens = 1);

}  // namespace vllama::encoders
