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

std::vector<Branch> make_branches(const ModelConfig& config, std::int64_t language_width) {
  std::vector<Branch> branches;
  if (config.has_vision()) branches.push_back(make_branch(config.vision, language_width));
  if (config.has_audio()) branches.push_back(make_branch(config.audio, language_width));
  return branches;
}

}  // namespace vllama::models
