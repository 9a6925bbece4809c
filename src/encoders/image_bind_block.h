// What ImageBind's encoders have in common (arXiv 2305.05665): the transformer block, and the head
// that maps an input to a unit vector of the space they share. Shapes: N inputs, L tokens an input,
// R = N * L tokens end to end, D width, E width of the shared space.
#pragma once

#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/segments.h"

namespace vllama::encoders {

struct ImageBindBlockSizes {
  std::int64_t width, num_heads, mlp_width;
  bool has_extra_key;  // one learned key and value more, for every token to look at
};

// Pre-norm attention and feed-forward layer.
struct ImageBindBlock {
  nn::LayerNorm attention_norm;
  nn::Linear qkv;
  at::Tensor extra_key_11D, extra_value_11D;
  nn::Linear projection;
  nn::LayerNorm mlp_norm;
  nn::Linear fc1, fc2;
  std::int64_t num_heads;
  bool has_extra_key;

  explicit ImageBindBlock(const ImageBindBlockSizes& sizes);
  void declare(nn::ParameterList& list, const std::string& prefix);
  at::Tensor operator()(const at::Tensor& tokens_RD, const nn::Segments& inputs) const;

 private:
  at::Tensor attend(const at::Tensor& normed_RD, const nn::Segments& inputs) const;
};

struct ImageBindHead {
  nn::LayerNorm norm;
  nn::Linear projection;

  ImageBindHead(std::int64_t width, std::int64_t embedding_width);
  void declare(nn::ParameterList& list, const std::string& prefix);
  // tokens_NLD, the class token first -> [N, E] fp32, every row of length 1.
  at::Tensor operator()(const at::Tensor& tokens_NLD) const;
};

}  // namespace vllama::encoders
