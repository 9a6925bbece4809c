// Both encoders of an imagebind_huge.pth.
#pragma once

#include "encoders/image_bind_encoders.h"
#include "models/branch_config.h"

namespace vllama::toy {

struct ImageBind {
  encoders::ImageBindPictures pictures;
  encoders::ImageBindSounds sounds;

  explicit ImageBind(const models::AudioConfig& config)
      : pictures(config.twin.as<encoders::ImageBindVisionConfig>(), space(config)),
        sounds(config.encoder.as<encoders::ImageBindAudioConfig>(), space(config)) {}

  // As the file has them.
  nn::ParameterList parameters() {
    nn::ParameterList list;
    pictures.declare(list);
    sounds.declare(list);
    return list;
  }

 private:
  static encoders::SharedSpace space(const models::AudioConfig& config) {
    return {.width = config.embedding_width, .scale = config.embedding_scale};
  }
};

}  // namespace vllama::toy
