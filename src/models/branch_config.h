// The settings of the two branches of a model, which have the same parts under published names.
#pragma once

#include "config/fields.h"
#include "encoders/encoder_choice.h"
#include "models/position_rule.h"
#include "models/q_former_config.h"

namespace vllama::models {

struct VisionConfig {
  encoders::PictureEncoder encoder;
  QFormerConfig resampler;  // over one frame
  QFormerConfig q_former{.num_layers = config::Size::published(2),
                         .cross_attention_every = config::Size::published(1)};
  config::Size max_positions = config::Size::published(32);
  PositionKind positions = PositionKind::table;
  std::int64_t position_rows = 0;
  std::int64_t units_at_once = 64;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("encoder", encoder, "image encoder");
    field("image_q_former", resampler, "Q-Former over one frame");
    field("video_q_former", q_former, "trained Q-Former over all frames of a clip");
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
  std::int64_t units_at_once = 64;

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("vision_encoder", twin, "ImageBind's image encoder");
    field("audio_encoder", encoder, "audio encoder");
    field("embedding_width", embedding_width, "width of the space that pictures and sound share",
          positive);
    field("audio_q_former", q_former, "trained Q-Former over all frames or sound clips of an item");
    field("max_positions", max_positions, "rows of the position table: most frames or sound clips",
          positive);
    field("positions", positions,
          "table: frame or sound clip i gets row i; interpolated: those of an item, however many, "
          "are spread over the rows; none: no positions, and the table is zero");
    field("position_rows", position_rows,
          "rows that interpolated positions are spread over, as the number of frames in training; "
          "0: all",
          config::AtLeast<std::int64_t>{0});
    field("embedding_scale", embedding_scale,
          "equal: pictures and sound as large as the positions; published: length 1 for pictures, "
          "the file's factor (20) for sound, as published checkpoints were trained");
    field("inputs_at_once", units_at_once,
          "frames or sound clips that pass a frozen encoder together; bounds its memory", positive);
  }
};

}  // namespace vllama::models
