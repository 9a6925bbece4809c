#include <ATen/cuda/CUDAContext.h>
#include <fmt/format.h>

#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "distributed/backend.h"

namespace vllama::distributed {

c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>& store,
                                            const Launch& launch, at::Device device,
                                            std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  auto group = c10::make_intrusive<c10d::ProcessGroupNCCL>(
      store, static_cast<int>(launch.rank), static_cast<int>(launch.num_ranks), options);
  group->eagerConnectSingleDevice(device);
  return group;
}

std::string gpu_identity(at::Device device) {
  if (!device.is_cuda()) return {};
  const cudaDeviceProp* properties = at::cuda::getDeviceProperties(device.index());
  std::string identity;
  for (const char byte : properties->uuid.bytes)
    identity += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return identity;
}

}  // namespace vllama::distributed
