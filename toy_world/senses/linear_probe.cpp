#include "toy_world/senses/linear_probe.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cholesky_solve.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_cholesky.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/ones.h>

namespace vllama::toy {
namespace {

constexpr double kPenalty = 1e-2;  // in units of the variance of a feature
constexpr double kSmallestDeviation = 1e-6;

}  // namespace

LinearProbe::LinearProbe(const at::Tensor& features_MF, const at::Tensor& targets_MT)
    : mean_F_(features_MF.to(at::kDouble).mean(0)),
      deviation_F_(features_MF.to(at::kDouble).std(0).clamp_min(kSmallestDeviation)) {
  const at::Tensor inputs_MF = with_constant(features_MF);
  const at::Tensor transposed_FM = inputs_MF.t();
  const auto num_samples = static_cast<double>(inputs_MF.size(0));
  const at::Tensor gram_FF =
      at::matmul(transposed_FM, inputs_MF) +
      kPenalty * num_samples * at::eye(inputs_MF.size(1), inputs_MF.options());
  weight_FT_ = at::cholesky_solve(at::matmul(transposed_FM, targets_MT.to(at::kDouble)),
                                  at::linalg_cholesky(gram_FF));
}

at::Tensor LinearProbe::with_constant(const at::Tensor& features_MF) const {
  const at::Tensor standard_MF = (features_MF.to(at::kDouble) - mean_F_) / deviation_F_;
  return at::cat({standard_MF, at::ones({standard_MF.size(0), 1}, standard_MF.options())}, 1);
}

at::Tensor LinearProbe::operator()(const at::Tensor& features_MF) const {
  return at::matmul(with_constant(features_MF), weight_FT_).to(at::kFloat);
}

ChoiceProbe::ChoiceProbe(const at::Tensor& features_MF, const at::Tensor& choices_M,
                         std::int64_t num_choices)
    : probe_(features_MF, at::one_hot(choices_M, num_choices).to(at::kFloat)) {}

double ChoiceProbe::accuracy(const at::Tensor& features_MF, const at::Tensor& choices_M) const {
  return probe_(features_MF).argmax(1).eq(choices_M).to(at::kFloat).mean().item<double>();
}

double balanced_accuracy(const at::Tensor& outputs_MT, const at::Tensor& present_MT) {
  const at::Tensor right_MT = outputs_MT.gt(0.5).eq(present_MT.gt(0.5)).to(at::kFloat);
  const auto share = [&](const at::Tensor& where_MT) {
    return ((right_MT * where_MT).sum(0) / where_MT.sum(0)).mean().item<double>();
  };
  return (share(present_MT) + share(1 - present_MT)) / 2;
}

double explained_variance(const at::Tensor& predicted_MT, const at::Tensor& targets_MT) {
  const at::Tensor errors_T = (predicted_MT - targets_MT).square().mean(0);
  const at::Tensor variances_T = (targets_MT - targets_MT.mean(0)).square().mean(0);
  return (1 - errors_T / variances_T.clamp_min(1e-12)).mean().item<double>();
}

}  // namespace vllama::toy
