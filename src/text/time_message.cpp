#include "text/time_message.h"

#include <fmt/format.h>

#include "core/error.h"

namespace vllama::text {

std::string time_message(std::span<const std::int64_t> frame_indices, double frames_per_second) {
  VLLAMA_ASSERT(frames_per_second > 0, "a frame rate is positive");
  std::string times;
  for (const std::int64_t index : frame_indices) {
    if (!times.empty()) times += ", ";
    times += fmt::format("{:.1f}", static_cast<double>(index) / frames_per_second);
  }
  return fmt::format("The video contains {} frames sampled at {} seconds. ", frame_indices.size(),
                     times);
}

}  // namespace vllama::text
