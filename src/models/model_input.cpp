#include "models/model_input.h"

namespace vllama::models {

samples::ModelInput model_input(const models::ModelConfig& model) {
  samples::ModelInput input;
  if (model.has_vision())
    input.vision = {.image_size = model.vision.encoder.image_size,
                    .num_tokens = model.vision.video_q_former.num_queries,
                    .max_positions = models::most_rows(model.vision.frame_positions,
                                                       model.vision.max_frame_positions)};
  if (model.has_audio())
    input.audio = {
        .image_size = model.audio.vision_encoder.image_size,
        .num_tokens = model.audio.audio_q_former.num_queries,
        .max_positions = models::most_rows(model.audio.positions, model.audio.max_positions)};
  return input;
}

}  // namespace vllama::models
