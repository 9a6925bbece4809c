#include "models/trainable.h"

#include <fmt/format.h>

#include <set>

#include "core/error.h"
#include "models/model_config.h"

namespace vllama::models {
namespace {

bool is_there(const Module& module, const ModelConfig& config) {
  if (module.place == ModulePlace::vision_branch) return config.has_vision();
  if (module.place == ModulePlace::audio_branch) return config.has_audio();
  return true;
}

std::vector<TrainedModule> published_modules(const ModelConfig& config) {
  std::vector<TrainedModule> trained;
  for (const Module& module : modules())
    if (module.trains_as_published && is_there(module, config)) trained.push_back({module.name});
  return trained;
}

void check(ModuleName name, const ModelConfig& config, std::set<ModuleName>& chosen) {
  const auto refuse = [name](const std::string& problem) {
    throw UserError(fmt::format("model.trainable: '{}' {}", config::name_of(name), problem));
  };
  if (!is_there(row_of(name), config))
    refuse(fmt::format("belongs to a branch that the model lacks (model.branches: {})",
                       config::name_of(config.branches)));
  if (!chosen.insert(name).second) refuse("is named twice");
}

}  // namespace

std::vector<TrainedModule> trained_modules(const ModelConfig& config) {
  if (config.trainable.empty()) return published_modules(config);
  std::set<ModuleName> chosen;
  for (const TrainedModule& module : config.trainable) check(module.module, config, chosen);
  if (chosen.contains(ModuleName::lora) && chosen.contains(ModuleName::language_model))
    throw UserError(
        "model.trainable: 'lora' adapts a frozen language model and cannot train together with "
        "'language_model'; leave one of them out");
  return config.trainable;
}

}  // namespace vllama::models
