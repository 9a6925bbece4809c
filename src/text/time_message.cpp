#include "text/time_message.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "core/error.h"

namespace vllama::text {

std::string time_message(std::span<const double> times_seconds) {
  return fmt::format("The video contains {} frames sampled at {:.1f} seconds. ",
                     times_seconds.size(), fmt::join(times_seconds, ", "));
}

std::string time_message(std::span<const std::int64_t> frame_indices, double frames_per_second) {
  VLLAMA_ASSERT(frames_per_second > 0, "a frame rate is positive");
  std::vector<double> times;
  for (const std::int64_t index : frame_indices)
    times.push_back(static_cast<double>(index) / frames_per_second);
  return time_message(times);
}

}  // namespace vllama::text
