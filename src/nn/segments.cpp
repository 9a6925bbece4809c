#include "nn/segments.h"

#include <algorithm>

#include "core/error.h"

namespace vllama::nn {

Segments::Segments(std::vector<std::int64_t> lengths) : lengths_(std::move(lengths)), starts_{0} {
  for (const std::int64_t length : lengths_) {
    VLLAMA_ASSERT(length > 0, "a sequence has at least one row");
    starts_.push_back(starts_.back() + length);
    longest_ = std::max(longest_, length);
    all_equal_ = all_equal_ && length == lengths_.front();
  }
}

Segments Segments::equal(std::int64_t count, std::int64_t length) {
  return Segments(std::vector<std::int64_t>(static_cast<std::size_t>(count), length));
}

std::vector<std::int64_t> Segments::positions() const {
  std::vector<std::int64_t> positions;
  for (const std::int64_t length : lengths_)
    for (std::int64_t row = 0; row < length; ++row) positions.push_back(row);
  return positions;
}

}  // namespace vllama::nn
