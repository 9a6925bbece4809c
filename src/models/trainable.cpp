#include "models/trainable.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.h"
#include "models/model_config.h"

namespace vllama::models {
namespace {

bool is_of_branch(const Module& module, const ModelConfig& config) {
  if (module.place == ModulePlace::vision_branch) return config.has_vision();
  if (module.place == ModulePlace::audio_branch) return config.has_audio();
  return true;
}

bool is_there(const Module& module, const ModelConfig& config) {
  const bool has_mlp = config.vision.connector == ConnectorKind::mlp;
  if (module.name == ModuleName::image_q_former && !config.vision.has_resampler()) return false;
  if (module.name == ModuleName::video_q_former && has_mlp) return false;
  if (module.name == ModuleName::vision_mlp && !has_mlp) return false;
  return is_of_branch(module, config);
}

std::vector<TrainedModule> default_modules(const ModelConfig& config) {
  std::vector<TrainedModule> trained;
  for (const Module& module : modules())
    if (module.trains_by_default && is_there(module, config)) trained.push_back({module.name});
  return trained;
}

void check(ModuleName name, const ModelConfig& config, std::set<ModuleName>& chosen) {
  const auto refuse = [name](const std::string& problem) {
    throw UserError(fmt::format("model.trainable: '{}' {}", config::name_of(name), problem));
  };
  if (is_of_branch(row_of(name), config) && !is_there(row_of(name), config))
    refuse(
        "is no part of the branch as model.vision.frame_resampler and model.vision.connector "
        "say");
  if (!is_there(row_of(name), config))
    refuse(fmt::format("belongs to a branch that the model lacks (model.branches: {})",
                       config::name_of(config.branches)));
  if (name == ModuleName::audio_encoder && config.audio.sees())
    refuse("is ImageBind's, which hears nothing in training: pictures stand for sound there");
  if (!chosen.insert(name).second) refuse("is named twice");
}

}  // namespace

std::vector<TrainedModule> trained_modules(const ModelConfig& config) {
  if (config.trainable.empty()) return default_modules(config);
  std::set<ModuleName> chosen;
  for (const TrainedModule& module : config.trainable) {
    check(module.module, config, chosen);
    if (module.last_blocks > 0 && !is_encoder(module.module))
      throw UserError(fmt::format("model.trainable: '{}' has last_blocks, which only encoders have",
                                  config::name_of(module.module)));
  }
  if (chosen.contains(ModuleName::lora) && chosen.contains(ModuleName::language_model))
    throw UserError(
        "model.trainable: 'lora' adapts a frozen language model and cannot train together with "
        "'language_model'; leave one of them out");
  return config.trainable;
}

std::int64_t num_trained_blocks(const std::vector<TrainedModule>& trained, ModuleName encoder,
                                std::int64_t num_blocks) {
  for (const TrainedModule& module : trained)
    if (module.module == encoder)
      return module.last_blocks == 0 ? num_blocks : std::min(module.last_blocks, num_blocks);
  return 0;
}

}  // namespace vllama::models
