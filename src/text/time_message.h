// The sentence that tells the model when the frames of a video were taken.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace vllama::text {

// "The video contains 2 frames sampled at 0.0, 1.2 seconds. " with a space at the end. Times have
// one decimal, correctly rounded from their binary values, ties to even.
std::string time_message(std::span<const double> times_seconds);

// The same for frames of a constant rate: a time is index / frames_per_second, which must be > 0.
std::string time_message(std::span<const std::int64_t> frame_indices, double frames_per_second);

}  // namespace vllama::text
