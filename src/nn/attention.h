// Multi-head attention over packed sequences: no pad is ever attended to, or computed.
#pragma once

#include "nn/dropout.h"
#include "nn/segments.h"

namespace vllama::nn {

// Each query attends to the keys of its own sequence: softmax(q k^T / sqrt(D)) v.
//   queries_THD [T, H, D], keys_SGD and values_SGD [S, G, D]; H is a multiple of G, and consecutive
//   query heads share a key head (grouped-query attention). query_segments covers T rows,
//   key_segments S rows, with equally many sequences. causal: row i of a sequence sees rows 0..i of
//   the same sequence.
// Returns [T, H, D].
at::Tensor attention(const at::Tensor& queries_THD, const at::Tensor& keys_SGD,
                     const at::Tensor& values_SGD, const Segments& query_segments,
                     const Segments& key_segments, bool causal);

// The same without causality, with dropout on the attention probabilities (one dropout site).
at::Tensor attention_with_dropout(const at::Tensor& queries_THD, const at::Tensor& keys_SHD,
                                  const at::Tensor& values_SHD, const Segments& query_segments,
                                  const Segments& key_segments, const Dropout& dropout);

}  // namespace vllama::nn
