// What a clock on the CPU needs to know of the device that computes.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vllama::bench {

// Returns when the device has done everything that was asked of it.
void wait_for(at::Device device);

// The most memory that tensors on the device have taken at one time; 0 for the CPU.
std::int64_t peak_device_bytes(at::Device device);

}  // namespace vllama::bench
