// ImageBind's frozen audio encoder: overlapping patches of a mel spectrogram to tokens, pre-norm
// transformer blocks with a learned extra key and value, and a unit vector for every clip. Shapes:
// N clips, M mel bins, T mel frames, L tokens (class token and patches), D width, E width of the
// space shared with pictures.
#pragma once

#include <vector>

#include "encoders/image_bind.h"
#include "encoders/image_bind_block.h"

namespace vllama::encoders {

class ImageBindAudio {
 public:
  // declare() throws UserError for sizes that do not fit together.
  ImageBindAudio(const ImageBindAudioConfig& config, std::int64_t embedding_width);

  // Names as in imagebind_huge.pth.
  void declare(nn::ParameterList& list);

  // mel_N1MT of any floating-point type -> [N, E] fp32, every row of length 1.
  at::Tensor operator()(const at::Tensor& mel_N1MT) const;

  // The parts of it: mel_N1MT -> tokens_NLD with positions; through the blocks.
  at::Tensor embed_patches(const at::Tensor& mel_N1MT) const;
  at::Tensor transform(const at::Tensor& tokens_NLD) const;

  const ImageBindAudioConfig& config() const { return config_; }

 private:
  ImageBindAudioConfig config_;
  at::Tensor patch_projection_D1PP_;
  nn::LayerNorm patch_norm_;
  at::Tensor class_token_11D_, positions_1LD_;
  std::vector<ImageBindBlock> blocks_;
  ImageBindHead head_;
};

}  // namespace vllama::encoders
