// How the training of base models begins: initial weights that suit small widths, and names of
// random streams.
#pragma once

#include <cstdint>

#include "nn/parameter.h"

namespace vllama::toy {

// Uses of random numbers that share a seed.
enum class Stream : std::uint64_t {
  vision_pictures = 1,
  captions = 2,
  sound_pairs = 3,
  sound_batches = 4,
  gates = 5,
};

std::uint64_t stream_key(std::uint64_t seed, Stream stream, std::int64_t index);

// Matrices that begin with a deviation of 0.02, which suits widths of a thousand, get larger ones,
// and so do positions, which would drown in the patches.
void enlarge_starts(nn::ParameterList& parameters);

}  // namespace vllama::toy
