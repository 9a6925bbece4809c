// Base models that train in a second.
#pragma once

#include "models/random_weights.h"

namespace vllama::test {

inline models::WeightSizes tiny_toy_sizes() {
  models::WeightSizes sizes;
  sizes.vision.encoder = encoders::EvaVitConfig{
      .image_size = 56, .width = 32, .num_blocks = 1, .num_heads = 2, .mlp_width = 64};
  sizes.vision.resampler = {.num_queries = 4,
                            .num_layers = 1,
                            .width = 32,
                            .num_heads = 2,
                            .mlp_width = 64,
                            .cross_attention_every = 1};
  sizes.vision.q_former = sizes.vision.resampler;
  sizes.language = {.width = 32, .mlp_width = 64, .num_layers = 1, .num_heads = 2};
  models::AudioConfig& audio = sizes.audio.emplace();
  audio.twin = encoders::ImageBindVisionConfig{
      .image_size = 56, .width = 32, .num_blocks = 1, .num_heads = 2, .mlp_width = 64};
  audio.encoder = encoders::ImageBindAudioConfig{
      .stride = 16, .width = 32, .num_blocks = 1, .num_heads = 2, .mlp_width = 64};
  audio.embedding_width = 32;
  audio.q_former = sizes.vision.resampler;
  return sizes;
}

}  // namespace vllama::test
