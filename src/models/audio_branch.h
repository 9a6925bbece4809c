// The audio branch, in the order of the paper: pictures or sound -> ImageBind embeddings, which the
// two share -> positions -> Audio Q-Former -> linear layer into the language model's embedding
// space. It trains on pictures and hears at inference. Shapes: F frames and K sound clips of all
// items end to end, R of either, C = 3, S image side, M mel bins, T mel frames, E width of
// ImageBind's space, B items (videos, pictures or sounds), Q audio queries an item, H
// language-model width.
#pragma once

#include "encoders/image_bind_audio.h"
#include "encoders/image_bind_vision.h"
#include "models/position_table.h"
#include "models/q_former.h"

namespace vllama::models {

struct AudioConfig {
  encoders::ImageBindVisionConfig vision_encoder;
  encoders::ImageBindAudioConfig audio_encoder;
  config::Size embedding_width = config::Size::published(1024);
  QFormerConfig audio_q_former{.num_queries = config::Size::published(8),
                               .num_layers = config::Size::published(2),
                               .cross_attention_every = config::Size::published(1)};
  config::Size max_positions = config::Size::published(8);
  std::string positions = "table";
  std::int64_t position_rows = 0;
  std::string embedding_scale = "equal";
  std::int64_t inputs_at_once = 64;

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("vision_encoder", vision_encoder, "ImageBind's image encoder");
    field("audio_encoder", audio_encoder, "ImageBind's audio encoder");
    field("embedding_width", embedding_width, "width of the space that pictures and sound share",
          positive);
    field("audio_q_former", audio_q_former,
          "trained Q-Former over all frames or sound clips of an item");
    field("max_positions", max_positions, "rows of the position table: most frames or sound clips",
          positive);
    field("positions", positions,
          "table: frame or sound clip i gets row i; interpolated: those of an item, however many, "
          "are spread over the rows; none: no positions, and the table is zero",
          config::OneOf{kPositionKinds});
    field("position_rows", position_rows,
          "rows that interpolated positions are spread over, as the number of frames in training; "
          "0: all",
          config::AtLeast<std::int64_t>{0});
    field("embedding_scale", embedding_scale,
          "equal: pictures and sound as large as the positions; published: length 1 for pictures, "
          "the file's factor (20) for sound, as published checkpoints were trained",
          config::OneOf{{"equal", "published"}});
    field("inputs_at_once", inputs_at_once,
          "frames or sound clips that pass a frozen encoder together; bounds its memory", positive);
  }
};

class AudioBranch {
 public:
  // Throws UserError for sizes that do not fit together.
  AudioBranch(const AudioConfig& config, std::int64_t language_width);

  // Names of imagebind_huge.pth: both encoders and the logarithm of the audio factor.
  void declare_trunks(nn::ParameterList& list);
  // Names and order of a Video-LLaMA checkpoint: audio_query_tokens, audio_Qformer,
  // audio_llama_proj, audio_position_embedding.
  void declare_trainable(nn::ParameterList& list);

  // The frozen part, without autograd history, scaled as the configuration says. images_FCHW,
  // normalised, in the weights' dtype -> [F, E] fp32.
  at::Tensor encode_frames(const at::Tensor& images_FCHW) const;
  // mel_K1MT of any floating-point type -> [K, E] fp32.
  at::Tensor encode_clips(const at::Tensor& mel_K1MT) const;

  // The trained part: embeddings_RE -> [B * Q, H], fp32. Each row of an item gets its position
  // (position_table.h). Throws UserError if an item has more rows than there are.
  at::Tensor embed_clips(const at::Tensor& embeddings_RE,
                         const std::vector<std::int64_t>& rows_per_item,
                         const nn::Dropout& dropout = {}) const;

  void clear_unused_positions() { positions_.clear_unused(); }

  // What the file multiplies unit vectors of sound with: min(exp(log_logit_scale), 100), a scalar.
  at::Tensor published_audio_factor() const;

  const AudioConfig& config() const { return config_; }
  const encoders::ImageBindVision& vision_encoder() const { return vision_encoder_; }
  const encoders::ImageBindAudio& audio_encoder() const { return audio_encoder_; }

 private:
  bool equal_scale() const { return config_.embedding_scale == "equal"; }

  AudioConfig config_;
  encoders::ImageBindVision vision_encoder_;
  encoders::ImageBindAudio audio_encoder_;
  at::Tensor log_audio_factor_;
  PositionTable positions_;
  QFormer audio_q_former_;
  nn::Linear projection_;
};

inline constexpr char kLogAudioFactorName[] = "modality_postprocessors.audio.1.log_logit_scale";

}  // namespace vllama::models
