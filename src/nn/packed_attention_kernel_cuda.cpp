// The build with CUDA: flash attention over variable lengths, for half-precision tensors on a GPU.
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/tensor.h>

#include "nn/packed_attention_kernel.h"

namespace vllama::nn {
namespace {

at::Tensor boundaries_on(const Segments& segments, at::Device device) {
  const std::vector<std::int32_t> boundaries(segments.boundaries().begin(),
                                             segments.boundaries().end());
  return at::tensor(boundaries, at::kInt).to(device, /*non_blocking=*/true);
}

}  // namespace

std::optional<at::Tensor> packed_attention_kernel(const at::Tensor& queries_THD,
                                                  const at::Tensor& keys_SGD,
                                                  const at::Tensor& values_SGD,
                                                  const Segments& query_segments,
                                                  const Segments& key_segments, bool causal) {
  const bool half =
      queries_THD.scalar_type() == at::kHalf || queries_THD.scalar_type() == at::kBFloat16;
  if (!queries_THD.is_cuda() || !half) return std::nullopt;
  const auto device = queries_THD.device();
  const auto result = at::_flash_attention_forward(
      queries_THD, keys_SGD, values_SGD, boundaries_on(query_segments, device),
      boundaries_on(key_segments, device), query_segments.longest(), key_segments.longest(),
      /*dropout_p=*/0.0, causal, /*return_debug_mask=*/false);
  return std::get<0>(result);
}

}  // namespace vllama::nn
