// Cheap noise that is a function of a key and a place, not of history.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vllama::toy {

// Adds to each value noise with mean 0 and the given deviation, nearly normal (256 equally likely
// quantiles, up to 2.9 deviations). values[i] gets what the key has at place `first` + i.
void add_noise(std::span<float> values, float deviation, std::uint64_t key, std::size_t first = 0);

}  // namespace vllama::toy
