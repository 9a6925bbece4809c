// The vision branch, in the order of the paper: frames -> EVA ViT -> LayerNorm -> image Q-Former ->
// frame positions -> Video Q-Former -> linear layer into the language model's embedding space.
// Shapes: F frames of all samples end to end, C = 3, S image side, P image queries a frame, B
// samples, Q video queries a sample, D Q-Former width, H language-model width.
#pragma once

#include "encoders/eva_vit.h"
#include "models/position_table.h"
#include "models/q_former.h"

namespace vllama::models {

struct VisionConfig {
  encoders::EvaVitConfig encoder;
  QFormerConfig image_q_former;
  QFormerConfig video_q_former{.num_layers = config::Size::published(2),
                               .cross_attention_every = config::Size::published(1)};
  config::Size max_frame_positions = config::Size::published(32);
  std::string frame_positions = "table";
  std::int64_t position_rows = 0;
  std::int64_t frames_at_once = 64;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("encoder", encoder, "EVA ViT");
    field("image_q_former", image_q_former, "Q-Former over one frame");
    field("video_q_former", video_q_former, "trained Q-Former over all frames of a clip");
    field("max_frame_positions", max_frame_positions, "rows of the frame position table",
          config::AtLeast<std::int64_t>{1});
    field("frame_positions", frame_positions,
          "table: frame i gets row i; interpolated: the frames of a clip, however many, are spread "
          "over the rows; none: no positions, and the table is zero",
          config::OneOf{kPositionKinds});
    field("position_rows", position_rows,
          "rows that interpolated positions are spread over, as the number of frames in training; "
          "0: all",
          config::AtLeast<std::int64_t>{0});
    field("frames_at_once", frames_at_once,
          "frames that pass the encoder and the image Q-Former together; bounds their memory",
          config::AtLeast<std::int64_t>{1});
  }
};

class VisionBranch {
 public:
  VisionBranch(const VisionConfig& config, std::int64_t language_width);

  // Names of eva_vit_g.pth.
  void declare_encoder(nn::ParameterList& list);
  // Names of the BLIP-2 file: query_tokens, ln_vision, Qformer.
  void declare_image_q_former(nn::ParameterList& list);
  // Names and order of a Video-LLaMA checkpoint: video_query_tokens, llama_proj,
  // video_frame_position_embedding, video_Qformer.
  void declare_trainable(nn::ParameterList& list);

  // frames_FHWC uint8 RGB -> images [F, 3, S, S] of `dtype`: ((x / 255) - mean) / std.
  static at::Tensor normalize(const at::Tensor& frames_FHWC, at::ScalarType dtype);

  // images_FCHW -> [F * P, D], with autograd history only if the image Q-Former trains. Then the
  // encoder's outputs are kept for backward, and what the Q-Former computed from them is computed
  // again, frames_at_once frames at a time.
  at::Tensor encode_frames(const at::Tensor& images_FCHW) const;

  // The trained part: frame_queries [F * P, D] -> [B * Q, H], fp32. Each frame gets its
  // position (position_table.h). Throws UserError if a sample has more frames than there are.
  at::Tensor embed_clips(const at::Tensor& frame_queries,
                         const std::vector<std::int64_t>& frames_per_sample,
                         const nn::Dropout& dropout = {}) const;

  void clear_unused_positions() { frame_positions_.clear_unused(); }

  const VisionConfig& config() const { return config_; }
  const encoders::EvaVit& encoder() const { return encoder_; }
  const nn::LayerNorm& encoder_norm() const { return encoder_norm_; }
  const QFormer& image_q_former() const { return image_q_former_; }

 private:
  // images_NCHW -> tokens of all images end to end [N * L, E]
  at::Tensor frozen_tokens(const at::Tensor& images_NCHW) const;

  VisionConfig config_;
  encoders::EvaVit encoder_;
  nn::LayerNorm encoder_norm_;
  QFormer image_q_former_;
  PositionTable frame_positions_;
  QFormer video_q_former_;
  nn::Linear projection_;
};

}  // namespace vllama::models
