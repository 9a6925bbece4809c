// Which frames of a clip a sample is made of.
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.h"

namespace vllama::processors {

// Both functions return exactly `num_frames` ascending indices in [0, clip_length), whatever the
// length: in clips that are too short, indices repeat. num_frames >= 0, clip_length >= 1.

// Evenly spaced: floor(i * clip_length / num_frames).
std::vector<std::int64_t> uniform_indices(std::int64_t num_frames, std::int64_t clip_length);

// floor(num_frames / 2) random frames of the first half of the clip, the others from the second
// half; without repetition where the half is long enough.
std::vector<std::int64_t> headtail_indices(std::int64_t num_frames, std::int64_t clip_length,
                                           RandomStream& stream);

}  // namespace vllama::processors
