// The image towers of CLIP (arXiv 2103.00020) and SigLIP (2303.15343, 2502.14786) as transformers
// publishes them: patches to tokens, pre-norm transformer blocks, a norm. Shapes: N images, S side
// in pixels, P patches, L = P tokens or, with a class token in front, P + 1, D width.
#pragma once

#include <optional>
#include <vector>

#include "encoders/clip.h"
#include "encoders/pre_norm_block.h"

namespace vllama::encoders {

// In what the two are different.
struct ImageTowerKind {
  bool has_class_token;  // and a norm in front of the blocks, and no bias in the patch projection
  double norm_epsilon;
  PreNormBlock::Activation activation;
};
extern const ImageTowerKind kClipTower, kSiglipTower;

class ImageTower {
 public:
  ImageTower(const ImageTowerSizes& sizes, const ImageTowerKind& kind);

  // Names as transformers has them, behind `prefix`. What lies behind the layer that feeds the
  // branch is not declared. Throws UserError for sizes that do not fit together.
  void declare(nn::ParameterList& list, const std::string& prefix);

  // Of the blocks, by those names.
  std::vector<nn::NamedLinear> block_matrices(const std::string& prefix);

  // images_NCHW, normalised, in the weights' type -> patches [N * P, D], without the class token.
  at::Tensor operator()(const at::Tensor& images_NCHW) const;

  // Resizes a position table that was read for another image size; returns how many tokens it had,
  // or nothing if it fits.
  std::optional<std::int64_t> fit_positions();

  at::ScalarType dtype() const { return positions_LD_.scalar_type(); }
  const ImageTowerSizes& sizes() const { return sizes_; }
  std::int64_t num_class_tokens() const { return kind_.has_class_token ? 1 : 0; }
  std::int64_t num_tokens() const { return sizes_.num_patches() + num_class_tokens(); }

 private:
  at::Tensor embed_patches(const at::Tensor& images_NCHW) const;

  ImageTowerSizes sizes_;
  ImageTowerKind kind_;
  nn::Linear patch_projection_;  // stored as a convolution kernel [D, 3, patch, patch]
  at::Tensor class_token_D_, positions_LD_;
  nn::LayerNorm first_norm_;
  std::vector<PreNormBlock> blocks_;
  nn::LayerNorm last_norm_;
};

}  // namespace vllama::encoders
