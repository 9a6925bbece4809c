#include "models/model_config.h"

#include "core/error.h"

namespace vllama::models {

std::string& WeightFiles::named(std::string_view key) {
  std::string* found = nullptr;
  visit([&](std::string_view name, std::string& path, auto&&...) {
    if (name == key) found = &path;
  });
  VLLAMA_ASSERT(found != nullptr, "a file of weights that the configuration knows");
  return *found;
}

const std::string& WeightFiles::named(std::string_view key) const {
  return const_cast<WeightFiles*>(this)->named(key);  // visiting changes nothing here
}

std::vector<std::string> WeightFiles::keys() {
  std::vector<std::string> keys;
  WeightFiles().visit([&](const char* name, auto&&...) { keys.emplace_back(name); });
  return keys;
}

std::vector<std::string> ModelConfig::encoder_file_keys() const {
  std::vector<std::string> keys;
  if (has_vision()) keys.emplace_back("vision_encoder");
  if (has_vision() && vision.has_resampler()) keys.emplace_back("q_former");
  if (has_audio()) keys.emplace_back(audio.sees() ? "image_bind" : "audio_encoder");
  return keys;
}

bool ModelConfig::is_of_original() const {
  const bool sees_so = vision.encoder.is<encoders::EvaVitConfig>() && vision.has_resampler() &&
                       vision.connector == ConnectorKind::q_former;
  return branches != BranchSet::none && (!has_vision() || sees_so) &&
         (!has_audio() || audio.sees());
}

}  // namespace vllama::models
