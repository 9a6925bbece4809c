// ImageBind's frozen image encoder: patches to tokens, a norm, pre-norm transformer blocks, and a
// unit vector for every image. Shapes: N images, C = 3, H = W = image size, L tokens (class token
// and patches), D width, E width of the space shared with sound.
#pragma once

#include <vector>

#include "encoders/image_bind.h"
#include "encoders/image_bind_block.h"

namespace vllama::encoders {

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
