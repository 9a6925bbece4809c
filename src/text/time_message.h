// The sentence that tells the model when the frames of a video were taken.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace vllama::text {

// "The video contains 2 frames sampled at 0.0, 1.2 seconds. " with a space at the end. A time is
// index / frames_per_second with one decimal, correctly rounded from its binary value, ties to
// even. frames_per_second > 0.
std::string time_message(std::span<const std::int64_t> frame_indices, double frames_per_second);

}  // namespace vllama::text
