// A device kernel that attends over a whole packed batch at once, where the build and the tensors
// allow.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "nn/segments.h"

namespace vllama::nn {

// As attention() in nn/attention.h; nothing when no kernel serves these tensors.
std::optional<at::Tensor> packed_attention_kernel(const at::Tensor& queries_THD,
                                                  const at::Tensor& keys_SGD,
                                                  const at::Tensor& values_SGD,
                                                  const Segments& query_segments,
                                                  const Segments& key_segments, bool causal);

}  // namespace vllama::nn
