// Linear readings of frozen features: what can be told from them by one matrix. Shapes: M samples,
// F features, T targets.
#pragma once

#include <ATen/core/Tensor.h>

namespace vllama::toy {

// Least squares with a small penalty on the weights, on standardised features with a constant, in
// closed form.
class LinearProbe {
 public:
  // features_MF float, targets_MT float
  LinearProbe(const at::Tensor& features_MF, const at::Tensor& targets_MT);

  // -> [M, T] float
  at::Tensor operator()(const at::Tensor& features_MF) const;

 private:
  at::Tensor with_constant(const at::Tensor& features_MF) const;

  at::Tensor mean_F_, deviation_F_, weight_FT_;
};

// A probe for one of `num_choices`, fitted to 0 or 1 for each; the largest output is the answer.
class ChoiceProbe {
 public:
  // choices_M int64
  ChoiceProbe(const at::Tensor& features_MF, const at::Tensor& choices_M, std::int64_t num_choices);

  // The share of right answers.
  double accuracy(const at::Tensor& features_MF, const at::Tensor& choices_M) const;

 private:
  LinearProbe probe_;
};

// Outputs above one half say that something is there, present_MT is 1 where it is: the mean of the
// shares of right answers where it is and where it is not, in the mean over targets. Both must
// occur.
double balanced_accuracy(const at::Tensor& outputs_MT, const at::Tensor& present_MT);

// 1 - squared error / variance, in the mean over targets.
double explained_variance(const at::Tensor& predicted_MT, const at::Tensor& targets_MT);

}  // namespace vllama::toy
