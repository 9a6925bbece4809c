#include "toy_world/senses/contrast.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

namespace vllama::toy {

at::Tensor matches(const std::vector<std::string>& contents) {
  const auto count = static_cast<std::int64_t>(contents.size());
  at::Tensor equal_NN = at::zeros({count, count}, at::kFloat);
  auto* out = equal_NN.data_ptr<float>();
  for (const std::string& left : contents)
    for (const std::string& right : contents) *out++ = left == right ? 1.0f : 0.0f;
  return equal_NN / equal_NN.sum(1, /*keepdim=*/true);
}

at::Tensor contrast_loss(const at::Tensor& a_NE, const at::Tensor& b_NE, const at::Tensor& scale,
                         const at::Tensor& matches_NN) {
  const at::Tensor scores_NN = scale * at::matmul(a_NE, b_NE.t());
  const auto one_side = [&](const at::Tensor& scores) {
    return -(matches_NN * at::log_softmax(scores, 1)).sum(1).mean();
  };
  return (one_side(scores_NN) + one_side(scores_NN.t())) / 2;
}

}  // namespace vllama::toy
