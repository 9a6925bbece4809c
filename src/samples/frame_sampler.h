// Which frames of a clip a sample is made of.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/random.h"

namespace vllama::samples {

// Frames [begin, begin + count).
struct FrameStretch {
  std::int64_t begin = 0, count = 0;
};

// The frames that are seen between two moments: from the one that is shown at `start_seconds` to
// the last that appears before `end_seconds`. `times_seconds` says when each frame appears,
// ascending, and `clip_end_seconds` when the last one disappears. None (count 0) where nothing is
// seen. Times are compared to the microsecond.
FrameStretch frames_between(std::span<const double> times_seconds, double clip_end_seconds,
                            double start_seconds, double end_seconds);

// All functions return exactly `num_frames` ascending indices in [0, clip_length), whatever the
// length: in clips that are too short, indices repeat. num_frames >= 0, clip_length >= 1.

// Evenly spaced by number: floor(i * clip_length / num_frames), whatever the times of the frames.
std::vector<std::int64_t> uniform_indices(std::int64_t num_frames, std::int64_t clip_length);

// Evenly spaced in time: the frames that are seen i / num_frames of the way from `start_seconds` to
// `end_seconds`, at least one frame being there. With a constant rate they are those of
// uniform_indices.
std::vector<std::int64_t> uniform_time_indices(std::int64_t num_frames,
                                               std::span<const double> times_seconds,
                                               double start_seconds, double end_seconds);

// floor(num_frames / 2) random frames of the first half of the clip, by number, the others from the
// second half; without repetition where the half is long enough.
std::vector<std::int64_t> headtail_indices(std::int64_t num_frames, std::int64_t clip_length,
                                           RandomStream& stream);

}  // namespace vllama::samples
