// How many floating-point operations the mathematics of one training step takes, from its sizes
// alone: what a step's time is judged by. A multiplication and its addition count as two.
#pragma once

#include <cstdint>
#include <vector>

#include "language/llama_config.h"
#include "models/branch.h"

namespace vllama::models {

// The real sizes of a batch; nothing is padded.
struct StepShape {
  // Of each encoder of the branch: its media.
  std::vector<std::vector<samples::MediaExtent>> media;
  std::vector<std::int64_t> sequence_lengths;
  std::int64_t num_logit_tokens = 0;  // tokens whose logits are computed
};

struct StepFlops {
  std::vector<double> encoders;  // forward, and backward through the blocks that train
  double resampler = 0;          // frozen, forward
  double connector = 0;          // trained, with its projection: forward and backward
  double language_forward = 0;   // decoder layers
  double language_backward = 0;  // gradients of activations only: the weights are frozen
  double logits = 0;             // output matrix, forward and backward
  double total() const;
};

// Matrix products and attention; norms, activations and embeddings are left out. Backward costs
// twice the forward pass where weights train and once where they are frozen; attention 2.5 times,
// because fused kernels compute the scores again. Recomputed layers do not count twice.
StepFlops step_flops(const Branch& branch, const language::LlamaConfig& language,
                     const StepShape& shape);

}  // namespace vllama::models
