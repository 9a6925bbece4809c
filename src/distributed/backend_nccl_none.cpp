// A build without CUDA has no NCCL and no GPUs.
#include "core/error.h"
#include "distributed/backend.h"

namespace vllama::distributed {

c10::intrusive_ptr<c10d::Backend> make_nccl(const c10::intrusive_ptr<c10d::Store>&, const Launch&,
                                            at::Device, std::chrono::milliseconds) {
  throw InternalError("NCCL was asked for in a build without CUDA");
}

std::string gpu_identity(at::Device) {
  return {};
}

}  // namespace vllama::distributed
