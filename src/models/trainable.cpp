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
  if (is_of_encoder(name) && row_of(name).place == ModulePlace::audio_branch && config.audio.sees())
    refuse("is ImageBind's, which hears nothing in training: pictures stand for sound there");
  if (!chosen.insert(name).second) refuse("is named twice");
}

}  // namespace

std::vector<TrainedModule> trained_modules(const ModelConfig& config) {
  if (config.trainable.empty()) return default_modules(config);
  std::set<ModuleName> chosen;
  for (const TrainedModule& module : config.trainable) {
    check(module.module, config, chosen);
    if (module.last_blocks > 0 && !is_of_encoder(module.module))
      throw UserError(fmt::format("model.trainable: '{}' has last_blocks, which only encoders have",
                                  config::name_of(module.module)));
  }
  for (const ModuleName name : chosen)
    if (const auto adapted = row_of(name).adapts; adapted && chosen.contains(*adapted))
      throw UserError(
          fmt::format("model.trainable: '{}' adapts what is frozen and cannot train together with "
                      "'{}'; leave one of them out",
                      config::name_of(name), config::name_of(*adapted)));
  return config.trainable;
}

std::int64_t num_trained_blocks(const std::vector<TrainedModule>& trained, ModulePlace branch,
                                std::int64_t num_blocks) {
  for (const TrainedModule& module : trained)
    if (is_of_encoder(module.module) && row_of(module.module).place == branch)
      return module.last_blocks == 0 ? num_blocks : std::min(module.last_blocks, num_blocks);
  return 0;
}

}  // namespace vllama::models
