// Several examples laid end to end, without padding: what a model gets.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "processors/example.h"

namespace vllama::processors {

// B samples with T tokens and F frames in all; M of the tokens stand for media.
struct Batch {
  std::int64_t step = 0, micro_step = 0;
  std::vector<std::string> sample_ids;          // B
  std::vector<std::uint64_t> dropout_keys;      // B
  at::Tensor frames_FHWC;                       // uint8 [F, S, S, 3], sample by sample
  std::vector<std::int64_t> frames_per_sample;  // B
  at::Tensor token_ids_T;                       // int64, 0 at media positions
  at::Tensor labels_T;  // int64, text::kIgnoredLabel where nothing is learned
  std::vector<std::int64_t> sequence_lengths;  // B
  at::Tensor media_positions_M;                // int64, ascending: rows of T for media embeddings
  std::int64_t num_targets = 0;    // labels to be learned; the first of a sequence never is
  std::int64_t num_shortened = 0;  // samples whose text was shortened
  std::int64_t num_concealed_frames = 0;

  std::int64_t size() const { return static_cast<std::int64_t>(sample_ids.size()); }
};

// Packs examples in their order. All must have frames of one size. Without examples the batch is
// empty: tensors with no elements (frames [0, 0, 0, 3]).
Batch pack(std::span<const Example> examples, std::int64_t image_token);

}  // namespace vllama::processors
