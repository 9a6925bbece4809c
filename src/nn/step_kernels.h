// Operations of a generation step, when each sequence adds one token: on the CPU they are limited
// by how fast matrices and caches are read, and they run without autograd.
#pragma once

#include <array>
#include <initializer_list>

#include "nn/cached_attention.h"
#include "nn/rotary.h"

namespace vllama::nn {

// Whether the functions below serve tensors of this type on this device: fp32 and bf16 on the CPU.
bool has_step_kernels(at::ScalarType dtype, at::Device device);

// values_RI [R, I] times the transposes of matrices [O, I] of the same type, side by side:
// [R, sum of O]. A row of the result is the same, in every bit, whatever the other rows are. Sums
// are in fp32.
at::Tensor step_products(const at::Tensor& values_RI, std::initializer_list<at::Tensor> weights_OI);

// heads_RX [R, (A + 2 G) K]: unrotated queries, keys and values side by side, K a multiple of 16.
// Rotates queries and keys, appends keys and values to the cache, and attends: [R, A K].
at::Tensor step_attention(const at::Tensor& heads_RX, const RotaryEmbedding::Angles& angles,
                          const NewTokens& tokens, const LayerCache& cache);

// gate_up_RX [R, 2 M] -> silu(gate) * up, [R, M]
at::Tensor step_gated_silu(const at::Tensor& gate_up_RX);

}  // namespace vllama::nn
