// Activation checkpointing: keep a function's input, drop what it computed, compute it again for
// backward.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace vllama::nn {

// function(input), holding only `input` until the backward pass, which runs `function` once more
// (Chen et al., arXiv 1604.06174). `function` must be deterministic; gradients reach its input, and
// any parameters it uses that train, also when the input needs none.
at::Tensor recompute_in_backward(const std::function<at::Tensor(const at::Tensor&)>& function,
                                 const at::Tensor& input);

}  // namespace vllama::nn
