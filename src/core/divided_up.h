// Division of whole numbers that leaves nothing over.
#pragma once

#include <cstdint>

namespace vllama {

// The smallest whole number that is no less than `number` / `by`. Neither is negative, and `by` is
// not 0.
constexpr std::int64_t divided_up(std::int64_t number, std::int64_t by) {
  return (number + by - 1) / by;
}

}  // namespace vllama
