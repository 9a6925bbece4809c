// The build without CUDA: no kernel for packed batches; attention() goes sequence by sequence.
#include "nn/packed_attention_kernel.h"

namespace vllama::nn {

std::optional<at::Tensor> packed_attention_kernel(const at::Tensor&, const at::Tensor&,
                                                  const at::Tensor&, const Segments&,
                                                  const Segments&, bool) {
  return std::nullopt;
}

}  // namespace vllama::nn
