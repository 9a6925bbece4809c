// ImageBind's frozen image encoder: patches to tokens, a norm, pre-norm transformer blocks, and a
// unit vector for every image. Shapes: N images, C = 3, H = W = image size, L tokens (class token
// and patches), D width, E width of the space shared with sound.
#pragma once

#include <vector>

#include "config/fields.h"
#include "encoders/image_bind_block.h"

namespace vllama::encoders {

struct ImageBindVisionConfig {
  static constexpr char kKind[] = "image_bind";

  config::Size image_size = config::Size::published(224);
  config::Size patch_size = config::Size::published(14);
  config::Size width = config::Size::published(1280);
  config::Size num_blocks = config::Size::published(32);
  config::Size num_heads = config::Size::published(16);
  config::Size mlp_width = config::Size::published(5120);

  std::int64_t num_patches_per_side() const { return image_size / patch_size; }
  std::int64_t num_tokens() const { return num_patches_per_side() * num_patches_per_side() + 1; }

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("image_size", image_size, "side of the square input image, in pixels", positive);
    field("patch_size", patch_size, "side of a patch, in pixels", positive);
    field("width", width, "features per token", positive);
    field("num_blocks", num_blocks, "transformer blocks", positive);
    field("num_heads", num_heads, "attention heads", positive);
    field("mlp_width", mlp_width, "hidden width of the feed-forward layers", positive);
  }
};

class ImageBindVision {
 public:
  // declare() throws UserError for sizes that do not fit together.
  ImageBindVision(const ImageBindVisionConfig& config, std::int64_t embedding_width);

  // Names as in imagebind_huge.pth.
  void declare(nn::ParameterList& list);

  // images_NCHW, normalised, in the weights' dtype -> [N, E] fp32, every row of length 1.
  at::Tensor operator()(const at::Tensor& images_NCHW) const;

  // The parts of it: images_NCHW -> tokens_NLD with positions; through the norm and the blocks.
  at::Tensor embed_patches(const at::Tensor& images_NCHW) const;
  at::Tensor transform(const at::Tensor& tokens_NLD) const;

  at::ScalarType dtype() const { return patch_projection_DC2PP_.scalar_type(); }
  const ImageBindVisionConfig& config() const { return config_; }

 private:
  ImageBindVisionConfig config_;
  // A convolution kernel over two frames in time; a picture counts as the same frame twice.
  at::Tensor patch_projection_DC2PP_;
  at::Tensor class_token_11D_, positions_1LD_;
  nn::LayerNorm input_norm_;
  std::vector<ImageBindBlock> blocks_;
  ImageBindHead head_;
};

}  // namespace vllama::encoders
