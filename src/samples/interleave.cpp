#include "samples/interleave.h"

#include <limits>

namespace vllama::samples {
namespace {

void add(std::vector<MediaRun>& runs, std::size_t medium, std::int64_t num_tokens) {
  if (!runs.empty() && runs.back().medium == medium)
    runs.back().num_tokens += num_tokens;
  else
    runs.push_back({medium, num_tokens});
}

}  // namespace

std::vector<MediaRun> interleaved(const TimedFrames& frames, const SoundWindows& sound) {
  const auto middle = [&sound](std::int64_t window) {
    return sound.begin_seconds + (static_cast<double>(window) + 0.5) * sound.window_seconds;
  };
  std::vector<MediaRun> runs;
  std::int64_t window = 0;
  for (std::size_t i = 0; i < frames.times_seconds.size(); ++i) {
    add(runs, 0, frames.tokens_per_frame);
    const bool is_last = i + 1 == frames.times_seconds.size();
    const double next =
        is_last ? std::numeric_limits<double>::infinity() : frames.times_seconds[i + 1];
    for (; window < sound.count && middle(window) < next; ++window)
      add(runs, 1, sound.tokens_per_window);
  }
  return runs;
}

}  // namespace vllama::samples
