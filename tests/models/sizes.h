// The sizes of the tiny weights that the goldens were recorded with.
#pragma once

#include "encoders/clip_pictures.h"
#include "language/llama.h"
#include "models/model_config.h"

namespace vllama::test {

inline encoders::EvaVitConfig tiny_encoder(std::int64_t image_size) {
  return {.image_size = image_size, .width = 48, .num_blocks = 4, .num_heads = 4, .mlp_width = 209};
}

inline models::VisionConfig tiny_vision(std::int64_t image_size) {
  models::VisionConfig config;
  config.encoder = tiny_encoder(image_size);
  config.resampler = {.num_queries = 6,
                      .num_layers = 4,
                      .width = 32,
                      .num_heads = 2,
                      .mlp_width = 72,
                      .cross_attention_every = 2};
  config.q_former = {.num_queries = 5,
                     .num_layers = 2,
                     .width = 32,
                     .num_heads = 2,
                     .mlp_width = 72,
                     .cross_attention_every = 1};
  config.max_positions = 11;
  return config;
}

// The published scale: the goldens know no other.
inline models::AudioConfig tiny_audio() {
  models::AudioConfig config;
  config.twin = encoders::ImageBindVisionConfig{
      .width = 40, .num_blocks = 2, .num_heads = 4, .mlp_width = 160};
  config.encoder = encoders::ImageBindAudioConfig{
      .width = 28, .num_blocks = 3, .num_heads = 4, .mlp_width = 112};
  config.embedding_width = 24;
  config.q_former = {.num_queries = 3,
                     .num_layers = 2,
                     .width = 32,
                     .num_heads = 2,
                     .mlp_width = 72,
                     .cross_attention_every = 1};
  config.embedding_scale = encoders::EmbeddingScale::published;
  return config;
}

inline language::LlamaConfig tiny_llama(std::int64_t vocabulary_size) {
  return {.vocabulary_size = vocabulary_size,
          .width = 64,
          .mlp_width = 172,
          .num_layers = 2,
          .num_heads = 4,
          .num_key_value_heads = 4,
          .head_width = 16};
}

// frames_FHWC uint8 -> [F, 3, S, S] fp32, as CLIP's image processor makes them.
inline at::Tensor normalized(const at::Tensor& frames_FHWC) {
  return encoders::normalized(frames_FHWC, encoders::clip_pictures(frames_FHWC.size(1)),
                              at::kFloat);
}

// The complete model at 56 pixels, from the goldens' weight files.
inline models::ModelConfig golden_model(const std::filesystem::path& weights) {
  models::ModelConfig config;
  config.vision = tiny_vision(56);
  config.precision = models::Precision::fp32;
  config.dropout = 0;
  config.loss_rows_at_once = 7;
  config.weights = {.vision_encoder = weights / "eva_vit_g_56.pth",
                    .q_former = weights / "blip2_qformer.pth",
                    .language_model = weights / "llama",
                    .projection = weights / "pretrained_minigpt4.pth",
                    .vision_checkpoint = weights / "init_vl.pth"};
  return config;
}

}  // namespace vllama::test
