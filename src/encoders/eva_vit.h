// EVA-CLIP ViT-G/14, the frozen image encoder: patches to tokens, pre-norm transformer blocks, no
// final norm. Shapes: N images, C = 3, H = W = image size, L tokens (class token and patches), D
// width.
#pragma once

#include <optional>

#include "encoders/eva.h"
#include "encoders/patch_grid.h"
#include "nn/adapters.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/segments.h"

namespace vllama::encoders {

struct EvaBlock {
  nn::LayerNorm attention_norm;
  nn::Linear qkv;  // the bias consists of q_bias, zeros and v_bias: keys have none
  at::Tensor q_bias_D, v_bias_D;
  nn::Linear projection;
  nn::LayerNorm mlp_norm;
  nn::Linear fc1, fc2;
  std::int64_t num_heads;

  explicit EvaBlock(const EvaVitConfig& config);
  void declare(nn::ParameterList& list, const std::string& prefix);
  std::vector<nn::NamedLinear> matrices(const std::string& prefix);
  at::Tensor operator()(const at::Tensor& tokens_RD, const nn::Segments& images) const;

 private:
  at::Tensor attend(const at::Tensor& normed_RD, const nn::Segments& images) const;
};

class EvaVit {
 public:
  explicit EvaVit(const EvaVitConfig& config);

  // Names as in eva_vit_g.pth, behind `prefix`.
  void declare(nn::ParameterList& list, const std::string& prefix = "");

  // Of the blocks, by those names.
  std::vector<nn::NamedLinear> block_matrices();

  // images_NCHW, normalised, in the weights' dtype -> tokens_NLD, the class token first.
  at::Tensor operator()(const at::Tensor& images_NCHW) const;

  // images_NCHW -> patches [N, L - 1, D], without class token and positions.
  at::Tensor embed_patches(const at::Tensor& images_NCHW) const;

  // Resizes a position table that was read for another image size; returns how many tokens it had,
  // or nothing if it fits.
  std::optional<std::int64_t> fit_positions();

  at::ScalarType dtype() const { return patch_projection_.weight_OI.scalar_type(); }
  const EvaVitConfig& config() const { return config_; }
  const std::vector<EvaBlock>& blocks() const { return blocks_; }

 private:
  EvaVitConfig config_;
  at::Tensor class_token_11D_, positions_1LD_;
  nn::Linear patch_projection_;  // stored as a convolution kernel [D, C, patch, patch]
  std::vector<EvaBlock> blocks_;
};

}  // namespace vllama::encoders
