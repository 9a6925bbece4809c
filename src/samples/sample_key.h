// Names the random numbers of one sample.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/random.h"

namespace vllama::samples {

// A place in the plan of a run.
struct SampleKey {
  std::uint64_t seed = 0;     // of the run
  std::int64_t step = 0;      // optimizer step, from 0
  std::int64_t position = 0;  // in the step's global batch

  // The random numbers of this sample for one purpose, the same on any rank and thread; each of its
  // media has its own.
  RandomStream random(RandomPurpose purpose, std::size_t medium = 0) const;
};

}  // namespace vllama::samples
