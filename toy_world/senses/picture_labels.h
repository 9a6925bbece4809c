// What is to be seen in pictures, as tensors: what vision is taught, and what probes look for.
// Shapes: N pictures, L patches a picture row by row, K kinds.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>

#include "toy_world/senses/pictures.h"

namespace vllama::toy {

// Labels of something that is not there are kNothing, its place is 0. Places run from -1 (left,
// top) to 1.
inline constexpr std::int64_t kNothing = -100;
inline constexpr std::int64_t kNumNumbers = 4;  // of shapes in a picture: none to three

struct ShapeLabels {
  at::Tensor present;  // float, 0 or 1
  at::Tensor kind;     // int64
  at::Tensor colour;   // int64
  at::Tensor size;     // int64, 1: large
  at::Tensor place;    // float, with a last dimension of x and y
};

struct PictureLabels {
  ShapeLabels patches;  // [N, L], the shape whose centre lies in the patch
  ShapeLabels kinds;    // [N, K], the shape of the kind
  at::Tensor field_N;   // int64
  at::Tensor number_N;  // int64, 0 to 3 visible shapes
};

PictureLabels label(std::span<const Picture> pictures, std::int64_t patches_per_side);

// [N, kSide, kSide, 3] uint8, as VisionBranch::normalize takes them.
at::Tensor frames(std::span<const Picture> pictures);

}  // namespace vllama::toy
