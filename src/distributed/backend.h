// The libraries that move tensors between ranks: NCCL for GPUs, Gloo for CPUs.
#pragma once

#include <c10/core/Device.h>

#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "distributed/launch.h"

namespace vllama::distributed {

c10::intrusive_ptr<c10d::Backend> make_gloo(const c10::intrusive_ptr<c10d::Store>& store,
                                            const Launch& launch,
                                            std::chrono::milliseconds timeout);

// Throws InternalError in a build without CUDA.
c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store,
                                            const Launch& launch, at::Device device,
                                            std::chrono::milliseconds timeout);

// The number that tells a GPU from all others; empty for a CPU.
std::string gpu_identity(at::Device device);

}  // namespace vllama::distributed
