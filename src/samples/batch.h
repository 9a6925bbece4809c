// Several examples laid end to end, without padding: what a model gets.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "samples/example.h"

namespace vllama::samples {

// All media of a batch that one encoder reads: F frames or clips of N media, for whose embeddings M
// tokens stand.
struct MediaGroup {
  at::Tensor values;                 // uint8 [F, S, S, 3] or float [F, ...], medium by medium
  std::vector<MediaExtent> extents;  // N, whose units sum to F
  std::vector<std::uint64_t> dropout_keys;  // N
  at::Tensor positions_M;                   // int64, ascending: rows of T for the embeddings

  bool empty() const { return extents.empty(); }
};

// B samples with T tokens.
struct Batch {
  std::int64_t step = 0, micro_step = 0;
  std::vector<std::string> sample_ids;  // B
  // By the number of the encoder; none behind the last that has media.
  std::vector<MediaGroup> media;
  at::Tensor token_ids_T;  // int64, 0 at media positions
  at::Tensor labels_T;     // int64, text::kIgnoredLabel where nothing is learned
  std::vector<std::int64_t> sequence_lengths;  // B
  std::int64_t num_targets = 0;    // labels to be learned; the first of a sequence never is
  std::int64_t num_shortened = 0;  // samples whose text was shortened
  std::int64_t num_concealed_frames = 0;

  std::int64_t size() const { return static_cast<std::int64_t>(sample_ids.size()); }
};

// Packs examples in their order. All media of an encoder must have one shape behind the first
// dimension. Groups without media have undefined tensors; a batch without examples has no tokens.
Batch pack(std::span<const Example> examples, std::int64_t image_token);

}  // namespace vllama::samples
