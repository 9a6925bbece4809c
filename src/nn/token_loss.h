// Cross entropy at target tokens, a slice at a time, so that the logits of a batch never exist at
// once.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace vllama::nn {

enum class Gradients { none, accumulate };

// The sum over rows of -log softmax(hidden_MH head_VH^T)[target], in fp32.
//   hidden_MH: one row for each target; targets_M int64 in [0, V); rows_per_slice bounds the memory
//   to rows_per_slice * V logits.
// The product is computed in the type of hidden_MH. With Gradients::accumulate the gradient of
// `gradient_scale` times that sum flows on through hidden_MH's graph, if it has one, which is
// freed, and into head_VH if it trains. Returns a scalar tensor without autograd history (fp64, so
// that sums of many batches stay exact).
at::Tensor token_loss(const at::Tensor& hidden_MH, const at::Tensor& head_VH,
                      const at::Tensor& targets_M, std::int64_t rows_per_slice, Gradients gradients,
                      double gradient_scale = 1.0);

}  // namespace vllama::nn
