#include "samples/downmix.h"

#include <algorithm>
#include <functional>

namespace vllama::samples {

std::vector<float> downmixed(const std::vector<std::vector<float>>& channels, Downmix downmix) {
  if (downmix == Downmix::first) return channels.front();
  std::vector<float> result(channels.front().size());
  for (const auto& channel : channels)
    std::transform(result.begin(), result.end(), channel.begin(), result.begin(), std::plus<>());
  for (float& sample : result) sample /= static_cast<float>(channels.size());
  return result;
}

}  // namespace vllama::samples
