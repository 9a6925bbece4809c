// Base models that train in a second.
#pragma once

#include "models/random_weights.h"

namespace vllama::test {

inline models::WeightSizes tiny_toy_sizes() {
  models::WeightSizes sizes;
  sizes.vision.encoder = {
      .image_size = 56, .width = 32, .num_blocks = 1, .num_heads = 2, .mlp_width = 64};
  sizes.vision.image_q_former = {.num_queries = 4,
                                 .num_layers = 1,
                                 .width = 32,
                                 .num_heads = 2,
                                 .mlp_width = 64,
                                 .cross_attention_every = 1};
  sizes.vision.video_q_former = sizes.vision.image_q_former;
  sizes.language = {.width = 32, .mlp_width = 64, .num_layers = 1, .num_heads = 2};
  models::AudioConfig& audio = sizes.audio.emplace();
  audio.vision_encoder = {
      .image_size = 56, .width = 32, .num_blocks = 1, .num_heads = 2, .mlp_width = 64};
  audio.audio_encoder = {
      .stride = 16, .width = 32, .num_blocks = 1, .num_heads = 2, .mlp_width = 64};
  audio.embedding_width = 32;
  audio.audio_q_former = sizes.vision.image_q_former;
  return sizes;
}

}  // namespace vllama::test
