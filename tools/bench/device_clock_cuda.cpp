// The build with CUDA: kernels run on after the call that started them has returned.
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>

#include "tools/bench/device_clock.h"

namespace vllama::bench {

void wait_for(at::Device device) {
  if (device.is_cuda()) c10::cuda::device_synchronize();
}

std::int64_t peak_device_bytes(at::Device device) {
  if (!device.is_cuda()) return 0;
  using c10::CachingAllocator::StatType;
  const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(
      device.has_index() ? device.index() : c10::cuda::current_device());
  return stats.allocated_bytes[static_cast<std::size_t>(StatType::AGGREGATE)].peak;
}

}  // namespace vllama::bench
