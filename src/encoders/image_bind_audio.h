// ImageBind's frozen audio encoder: overlapping patches of a mel spectrogram to tokens, pre-norm
// transformer blocks with a learned extra key and value, and a unit vector for every clip. Shapes:
// N clips, M mel bins, T mel frames, L tokens (class token and patches), D width, E width of the
// space shared with pictures.
#pragma once

#include <vector>

#include "config/fields.h"
#include "encoders/image_bind_block.h"
#include "samples/audio_clips.h"
#include "samples/mel.h"

namespace vllama::encoders {

struct ImageBindAudioConfig {
  static constexpr char kKind[] = "image_bind";

  config::Size kernel_size = config::Size::published(16);
  config::Size stride = config::Size::published(10);
  config::Size width = config::Size::published(768);
  config::Size num_blocks = config::Size::published(12);
  config::Size num_heads = config::Size::published(12);
  config::Size mlp_width = config::Size::published(3072);
  // Every clip is as large as samples::audio_clips makes it.
  static constexpr std::int64_t num_mel_bins = samples::kNumMelBins;
  static constexpr std::int64_t num_mel_frames = samples::kAudioClipFrames;

  std::int64_t num_tokens() const {
    return num_places(num_mel_bins) * num_places(num_mel_frames) + 1;
  }

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("kernel_size", kernel_size, "side of a patch of the mel spectrogram",
          config::Range<std::int64_t>{1, num_mel_bins});
    field("stride", stride, "distance between patches", positive);
    field("width", width, "features per token", positive);
    field("num_blocks", num_blocks, "transformer blocks", positive);
    field("num_heads", num_heads, "attention heads", positive);
    field("mlp_width", mlp_width, "hidden width of the feed-forward layers", positive);
  }

 private:
  std::int64_t num_places(std::int64_t length) const { return (length - kernel_size) / stride + 1; }
};

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
