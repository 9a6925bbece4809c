// Attention of new tokens to themselves and to what a cache holds of the tokens before them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/segments.h"

namespace vllama::nn {

// Keys (after rotation) and values of one layer: B slots with room for S tokens each, [B, S, G, K].
struct LayerCache {
  at::Tensor keys_BSGK, values_BSGK;
};

// New tokens of sequences under way: sequence i appends segments.length(i) tokens to the
// lengths_before[i] that slots[i] already holds.
struct NewTokens {
  Segments segments;
  std::vector<std::int64_t> slots, lengths_before;

  // One token each.
  bool is_step() const { return segments.longest() == 1; }
  std::vector<std::int64_t> positions() const;
};

// Writes the new keys and values into the cache; each new token attends to those of its
// sequence up to itself.
//   queries_TAK [T, A, K], keys_TGK and values_TGK [T, G, K], T = new_tokens.segments.total().
// Returns [T, A, K].
at::Tensor cached_attention(const at::Tensor& queries_TAK, const at::Tensor& keys_TGK,
                            const at::Tensor& values_TGK, const NewTokens& new_tokens,
                            const LayerCache& cache);

}  // namespace vllama::nn
