// How much device memory a run needs, from its sizes alone.
#pragma once

#include <cstdint>

#include "language/llama_config.h"
#include "models/model_config.h"

namespace vllama::train {

struct MemoryEstimate {
  std::int64_t frozen_weights_bytes = 0;
  std::int64_t gathered_layers_bytes = 0;  // of a language model that is held in parts
  std::int64_t trained_state_bytes = 0;    // fp32 weights, gradients and two moments
  std::int64_t activations_bytes = 0;      // saved by the language model for the backward pass
  std::int64_t encoder_bytes = 0;          // working set of the largest frozen encoder
  std::int64_t logits_bytes = 0;           // one slice, with its gradient
  std::int64_t remembered_bytes = 0;       // of what frozen encoders made, when all is full
  std::int64_t total_bytes() const;
};

struct BatchShape {
  std::int64_t num_tokens = 0;  // of a micro-batch
  std::int64_t num_frames = 0;
  std::int64_t num_samples = 0;
};

// Over how many ranks it is spread; 1 where every rank has the whole.
struct Sharding {
  std::int64_t num_optimizer_parts = 1;       // both moments
  std::int64_t num_language_model_parts = 1;  // the matrices of its layers
};

// Saved activations of a decoder: (6 width + 2 mlp_width) numbers per token and layer, and
// (2 width + mlp_width) more where its weights or adapters train, for their gradients; with
// recomputed layers one width, and all of one layer. An encoder without gradients: about 4 mlp
// widths per token; all its tokens stay where the image Q-Former behind it trains, and
// the inputs of its blocks where it trains itself. Of a language
// model in parts two layers are whole at a time. What an image Q-Former that trains made is not
// remembered; an audio branch remembers frames and sounds apart.
MemoryEstimate estimate_memory(const models::ModelConfig& model,
                               const language::LlamaConfig& language_model, std::int64_t num_frozen,
                               std::int64_t num_trained, const BatchShape& batch,
                               const Sharding& sharding = {});

}  // namespace vllama::train
