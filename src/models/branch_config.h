// The settings of the two branches of a model, which have the same parts under published names.
#pragma once

#include "config/fields.h"
#include "encoders/encoder_choice.h"
#include "encoders/encoder_lora.h"
#include "models/mlp_connector.h"
#include "models/position_rule.h"
#include "models/q_former_config.h"

namespace vllama::models {

// Whether each frame passes a Q-Former of its own, before all of them pass one.
enum class FrameResampler { automatic, q_former, none };
constexpr auto names_of(FrameResampler) {
  return config::EnumNames<FrameResampler, 3>{{{FrameResampler::automatic, "auto"},
                                               {FrameResampler::q_former, "q_former"},
                                               {FrameResampler::none, "none"}}};
}

enum class ConnectorKind { q_former, mlp };
constexpr auto names_of(ConnectorKind) {
  return config::EnumNames<ConnectorKind, 2>{
      {{ConnectorKind::q_former, "q_former"}, {ConnectorKind::mlp, "mlp"}}};
}

struct VisionConfig {
  encoders::PictureEncoder encoder;
  FrameResampler frame_resampler = FrameResampler::automatic;
  QFormerConfig resampler;  // over one frame
  ConnectorKind connector = ConnectorKind::q_former;
  QFormerConfig q_former{.num_layers = config::Size::published(2),
                         .cross_attention_every = config::Size::published(1)};
  MlpConfig mlp;
  config::Size max_positions = config::Size::published(32);
  PositionKind positions = PositionKind::table;
  std::int64_t position_rows = 0;
  std::int64_t units_at_once = 64;
  encoders::EncoderLora encoder_lora;

  bool has_resampler() const {
    if (frame_resampler != FrameResampler::automatic)
      return frame_resampler == FrameResampler::q_former;
    return encoder.is<encoders::EvaVitConfig>();
  }

  template <class Visitor>
  void visit(Visitor&& field) {
    field("encoder", encoder, "image encoder");
    field("frame_resampler", frame_resampler,
          "what each frame passes behind the encoder: q_former, image_q_former; none; auto: "
          "q_former behind EVA, none behind others");
    field("image_q_former", resampler, "Q-Former over one frame");
    field("connector", connector,
          "q_former: video_q_former over all frames of a clip; mlp: a layer over every patch, so "
          "that each frame keeps its own");
    field("video_q_former", q_former, "trained Q-Former over all frames of a clip");
    field("mlp", mlp, "the layer of connector: mlp");
    field("max_frame_positions", max_positions, "rows of the frame position table",
          config::AtLeast<std::int64_t>{1});
    field("frame_positions", positions,
          "table: frame i gets row i; interpolated: the frames of a clip, however many, are spread "
          "over the rows; none: no positions, and the table is zero");
    field("position_rows", position_rows,
          "rows that interpolated positions are spread over, as the number of frames in training; "
          "0: all",
          config::AtLeast<std::int64_t>{0});
    field("frames_at_once", units_at_once,
          "frames that pass the encoder and the image Q-Former together; bounds their memory",
          config::AtLeast<std::int64_t>{1});
    field("encoder_lora", encoder_lora,
          "adapters of the image encoder, where trainable names vision_encoder_lora");
  }
};

struct AudioConfig {
  encoders::TwinEncoder twin;  // sees what the other one hears
  encoders::SoundEncoder encoder;
  config::Size embedding_width = config::Size::published(1024);
  QFormerConfig q_former{.num_queries = config::Size::published(8),
                         .num_layers = config::Size::published(2),
                         .cross_attention_every = config::Size::published(1)};
  config::Size max_positions = config::Size::published(8);
  PositionKind positions = PositionKind::table;
  std::int64_t position_rows = 0;
  encoders::EmbeddingScale embedding_scale = encoders::EmbeddingScale::equal;
  double window_seconds = 0;
  std::int64_t units_at_once = 64;
  encoders::EncoderLora encoder_lora;

  // Whether pictures stand for sound in training, in a space that both share.
  bool sees() const { return encoder.is<encoders::ImageBindAudioConfig>(); }

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("audio_encoder", encoder, "audio encoder");
    if (sees()) {
      field("vision_encoder", twin, "ImageBind's image encoder");
      field("embedding_width", embedding_width, "width of the space that pictures and sound share",
            positive);
      field("embedding_scale", embedding_scale,
            "equal: pictures and sound as large as the positions; published: length 1 for "
            "pictures, the file's factor (20) for sound, as published checkpoints were trained");
    } else {
      field("window_seconds", window_seconds,
            "the Q-Former reads windows of so many seconds, one after the other, and makes its "
            "queries of each; 0: it reads the whole sound at once",
            config::Range{0.0, 3600.0});
    }
    field("audio_q_former", q_former,
          "trained Q-Former over all frames or sound clips of an item, or over each window");
    field("max_positions", max_positions,
          "rows of the position table: most frames, sound clips or windows", positive);
    field(
        "positions", positions,
        "table: frame, sound clip or window i gets row i; interpolated: those of an item, however "
        "many, are spread over the rows; none: no positions, and the table is zero");
    field("position_rows", position_rows,
          "rows that interpolated positions are spread over, as the number of frames in training; "
          "0: all",
          config::AtLeast<std::int64_t>{0});
    field("inputs_at_once", units_at_once,
          "frames or sound clips that pass a frozen encoder together; bounds its memory", positive);
    if (!sees())
      field("encoder_lora", encoder_lora,
            "adapters of the audio encoder, where trainable names audio_encoder_lora");
  }
};

}  // namespace vllama::models
