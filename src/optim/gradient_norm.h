// The size of a gradient, whether it is usable at all, and how much to shorten it.
#pragma once

#include <ATen/core/Tensor.h>

namespace vllama::optim {

// The L2 norm of a flat fp32 tensor of shape [N]. It is infinite or not a number exactly when an
// element is (or when a square leaves the range of fp32, above about 1e19), so one test of the
// result tests every element. Rows of 1024 are summed in fp32 and the rows in fp64, in an order
// that depends on neither threads nor timing; the error is about 1e-9 relative, where one fp32 sum
// over 22 million elements is wrong in the third digit. Waits for the device.
double gradient_norm(const at::Tensor& flat_gradients_N);

// What to multiply the gradient with so that its norm is at most `max_norm`; 1 when max_norm is 0
// (off) or not exceeded. As torch.nn.utils.clip_grad_norm_: min(1, max_norm / (norm + 1e-6)).
double clipping_factor(double norm, double max_norm);

}  // namespace vllama::optim
