#include "nn/token_loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "nn/linear_kernel.h"
#include "nn/parameter.h"

namespace vllama::nn {

at::Tensor token_loss(const at::Tensor& hidden_MH, const at::Tensor& head_VH,
                      const at::Tensor& targets_M, std::int64_t rows_per_slice, Gradients gradients,
                      double gradient_scale) {
  const bool flows_on = hidden_MH.requires_grad();
  const bool backward = gradients == Gradients::accumulate && (flows_on || head_VH.requires_grad());
  const at::AutoGradMode with_graph(backward);
  const at::Tensor leaf_MH = hidden_MH.detach().requires_grad_(backward && flows_on);
  // Converted once; every slice sends its gradient back through the conversion, which adds up in
  // the type of head_VH.
  const at::Tensor converted_VH = in_type_of(head_VH, hidden_MH);
  at::Tensor sum = at::zeros({}, hidden_MH.options().dtype(at::kDouble).requires_grad(false));
  const std::int64_t num_rows = hidden_MH.size(0);
  for (std::int64_t start = 0; start < num_rows; start += rows_per_slice) {
    const std::int64_t rows = std::min(rows_per_slice, num_rows - start);
    const at::Tensor logits = linear_product(leaf_MH.narrow(0, start, rows), converted_VH);
    const at::Tensor slice_sum = at::cross_entropy_loss(
        logits.to(at::kFloat), targets_M.narrow(0, start, rows), {}, at::Reduction::Sum);
    if (backward) (slice_sum * gradient_scale).backward();
    sum += slice_sum.detach();
  }
  if (backward && flows_on && num_rows > 0) hidden_MH.backward(leaf_MH.grad());
  return sum;
}

}  // namespace vllama::nn
