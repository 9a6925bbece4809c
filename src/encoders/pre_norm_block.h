// The transformer block of CLIP, SigLIP and Whisper, whose queries, keys and values have matrices
// of their own. Shapes: R tokens of all units end to end, D width.
#pragma once

#include <string>
#include <vector>

#include "nn/adapters.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/recompute.h"
#include "nn/segments.h"

namespace vllama::encoders {

struct PreNormBlock {
  using Activation = at::Tensor (*)(const at::Tensor& values);

  struct Settings {
    std::int64_t width, num_heads, mlp_width;
    double epsilon;
    bool keys_have_bias;
    Activation activation;
  };
  // What published files call the parts, behind the prefix of the block.
  struct Names {
    const char *attention_norm, *mlp_norm, *fc1, *fc2;
  };

  explicit PreNormBlock(const Settings& settings);
  void declare(nn::ParameterList& list, const std::string& prefix, const Names& names);
  std::vector<nn::NamedLinear> matrices(const std::string& prefix, const Names& names);
  at::Tensor operator()(const at::Tensor& tokens_RD, const nn::Segments& units) const;

  nn::LayerNorm attention_norm;
  nn::Linear query, key, value, output;
  nn::LayerNorm mlp_norm;
  nn::Linear fc1, fc2;
  std::int64_t num_heads;
  Activation activation;
};

// tokens_RD through all blocks, of any kind. Where they train, each is computed again in the
// backward pass.
template <class Block>
at::Tensor through_blocks(const std::vector<Block>& blocks, at::Tensor tokens_RD,
                          const nn::Segments& units) {
  for (const Block& block : blocks)
    tokens_RD = nn::recompute_in_backward(
        [&block, units](const at::Tensor& tokens) { return block(tokens, units); }, tokens_RD);
  return tokens_RD;
}

}  // namespace vllama::encoders
