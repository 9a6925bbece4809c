// The memory that tensors take on the CPU, counted.
#pragma once

#include <cstdint>

namespace vllama::test {

// While it lives, new tensors of this process are counted, until their memory is freed.
class CountedMemory {
 public:
  CountedMemory();
  ~CountedMemory();
  CountedMemory(const CountedMemory&) = delete;
  CountedMemory& operator=(const CountedMemory&) = delete;

  std::int64_t num_bytes() const;
  // The most that there was at a time since then.
  void forget_peak();
  std::int64_t peak_bytes() const;
};

}  // namespace vllama::test
