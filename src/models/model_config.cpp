#include "models/model_config.h"

#include "core/error.h"

namespace vllama::models {

const std::string& WeightFiles::named(std::string_view key) const {
  if (key == "vision_encoder") return vision_encoder;
  if (key == "image_bind") return image_bind;
  if (key == "vision_checkpoint") return vision_checkpoint;
  VLLAMA_ASSERT(key == "audio_checkpoint", "a file that a branch is read from");
  return audio_checkpoint;
}

}  // namespace vllama::models
