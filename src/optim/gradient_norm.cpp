#include "optim/gradient_norm.h"

#include <ATen/ops/linalg_vector_norm.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace vllama::optim {
namespace {

constexpr std::int64_t kRowElements = 1024;

}  // namespace

double gradient_norm(const at::Tensor& flat_gradients_N) {
  VLLAMA_ASSERT(flat_gradients_N.dim() == 1 && flat_gradients_N.scalar_type() == at::kFloat,
                "a gradient norm is taken of a flat fp32 tensor");
  const std::int64_t num_rows = flat_gradients_N.numel() / kRowElements;
  const std::int64_t num_in_rows = num_rows * kRowElements;
  const at::Tensor norms_R = at::linalg_vector_norm(
      flat_gradients_N.narrow(0, 0, num_in_rows).view({num_rows, kRowElements}), 2,
      at::IntArrayRef{1});
  const at::Tensor rest = at::linalg_vector_norm(
      flat_gradients_N.narrow(0, num_in_rows, flat_gradients_N.numel() - num_in_rows), 2);
  const double of_rows =
      at::linalg_vector_norm(norms_R, 2, at::OptionalIntArrayRef{}, false, at::kDouble)
          .item<double>();
  return std::hypot(of_rows, rest.item<double>());
}

double clipping_factor(double norm, double max_norm) {
  if (max_norm == 0) return 1;
  return std::min(1.0, max_norm / (norm + 1e-6));
}

}  // namespace vllama::optim
