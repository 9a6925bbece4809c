// A square grid of patches with a class token in front.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

namespace vllama::encoders {

// How many patches its side has; nothing if so many tokens make no such grid.
inline std::optional<std::int64_t> grid_side(std::int64_t num_tokens) {
  if (num_tokens < 2) return std::nullopt;
  const auto side = std::llround(std::sqrt(static_cast<double>(num_tokens - 1)));
  if (side * side != num_tokens - 1) return std::nullopt;
  return side;
}

// The side of the picture, in pixels.
inline std::optional<std::int64_t> image_side(std::optional<std::int64_t> num_tokens,
                                              std::int64_t patch_size) {
  const auto side = num_tokens ? grid_side(*num_tokens) : std::nullopt;
  if (!side) return std::nullopt;
  return *side * patch_size;
}

}  // namespace vllama::encoders
