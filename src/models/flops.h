// How many floating-point operations the mathematics of one training step takes, from its sizes
// alone: what a step's time is judged by. A multiplication and its addition count as two.
#pragma once

#include <cstdint>
#include <vector>

#include "language/llama_config.h"
#include "models/audio_branch.h"
#include "models/vision_branch.h"

namespace vllama::models {

// The real sizes of a batch; nothing is padded. A sample has frames or, in the audio branch, sound
// clips.
struct StepShape {
  std::vector<std::int64_t> frames_per_sample;
  std::vector<std::int64_t> sequence_lengths;
  std::int64_t num_logit_rows = 0;  // tokens whose logits are computed
  std::vector<std::int64_t> sound_clips_per_sample = {};
};

struct StepFlops {
  double vision = 0;             // frozen image encoder of the branch, forward
  double sound = 0;              // frozen audio encoder, forward
  double image_q_former = 0;     // frozen, forward
  double video_q_former = 0;     // trained, with its projection: forward and backward
  double audio_q_former = 0;     // the same in the audio branch
  double language_forward = 0;   // decoder layers
  double language_backward = 0;  // gradients of activations only: the weights are frozen
  double logits = 0;             // output matrix, forward and backward
  double total() const;
};

// Matrix products and attention; norms, activations and embeddings are left out. Backward costs
// twice the forward pass where weights train and once where they are frozen; attention 2.5 times,
// because fused kernels compute the scores again. Recomputed layers do not count twice.
StepFlops step_flops(const VisionConfig& vision, const language::LlamaConfig& language,
                     const StepShape& shape);
// A step of the audio branch.
StepFlops step_flops(const AudioConfig& audio, const language::LlamaConfig& language,
                     const StepShape& shape);

}  // namespace vllama::models
