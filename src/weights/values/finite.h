// Counts numbers in weight files that are not finite.
#pragma once

#include <cstdint>

#include "weights/values/value.h"

namespace vllama::weights {

// Infinities and NaNs among the values of a contiguous view; 0 for whole numbers. Costs little
// beside a conversion of the same bytes (docs/performance.md).
std::int64_t count_not_finite(const TensorView& view);

}  // namespace vllama::weights
