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

// New rows of sequences under way: sequence i appends rows.length(i) rows to the lengths_before[i]
// that slots[i] already holds.
struct NewRows {
  Segments rows;
  std::vector<std::int64_t> slots, lengths_before;

  // One row each.
  bool is_step() const { return rows.longest() == 1; }
  std::vector<std::int64_t> positions() const;
};

// Writes the new keys and values into the cache; each new row attends to the rows of its sequence
// up to itself.
//   queries_TAK [T, A, K], keys_TGK and values_TGK [T, G, K], T = new_rows.rows.total().
// Returns [T, A, K].
at::Tensor cached_attention(const at::Tensor& queries_TAK, const at::Tensor& keys_TGK,
                            const at::Tensor& values_TGK, const NewRows& new_rows,
                            const LayerCache& cache);

}  // namespace vllama::nn
