// The build without CUDA: the CPU has done its work when a call returns.
#include "tools/bench/device_clock.h"

namespace vllama::bench {

void wait_for(at::Device) {}

std::int64_t peak_device_bytes(at::Device) {
  return 0;
}

}  // namespace vllama::bench
