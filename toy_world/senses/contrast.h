// Contrast of two batches of embeddings: what belongs together must be nearer than all else.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace vllama::toy {

// Which of N pairs match one another: rows i and j do where contents[i] == contents[j]. -> [N, N]
// float, every row sums to 1.
at::Tensor matches(const std::vector<std::string>& contents);

// The rows of a and b have length 1. The mean over both sides of the cross entropy between
// softmax(scale a b^T) and the matches (InfoNCE, with several right answers where contents repeat).
at::Tensor contrast_loss(const at::Tensor& a_NE, const at::Tensor& b_NE, const at::Tensor& scale,
                         const at::Tensor& matches_NN);

}  // namespace vllama::toy
