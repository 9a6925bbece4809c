// Counts numbers in weight files that are not finite.
#pragma once

#include <cstdint>

#include "checkpoint/value.h"

namespace vllama::checkpoint {

// Infinities and NaNs among the values of a contiguous view; 0 for whole numbers. Reads 10 GB/s or
// more, so that it costs little beside a conversion of the same bytes.
std::int64_t count_not_finite(const TensorView& view);

}  // namespace vllama::checkpoint
