// The order in which the embeddings of a video and of its sound stand in a prompt where the sound
// of some seconds stands behind the frames of these seconds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "samples/example.h"

namespace vllama::samples {

struct TimedFrames {
  std::span<const double> times_seconds;  // in the file
  std::int64_t tokens_per_frame;
};

// Behind one another, without gaps.
struct SoundWindows {
  std::int64_t count;
  double begin_seconds, window_seconds;  // of the first one, in the file; of each
  std::int64_t tokens_per_window;
};

// Every frame, and behind it the windows whose middle lies before the next frame; those that lie
// before the first frame stand behind it, too. The frames are medium 0, the sound medium 1. At
// least one frame.
std::vector<MediaRun> interleaved(const TimedFrames& frames, const SoundWindows& sound);

}  // namespace vllama::samples
