#include "models/trainable.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "core/error.h"
#include "core/named_rows.h"
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
    if (module.trains_as_published && is_there(module, config))
      trained.push_back({std::string(module.name)});
  return trained;
}

void check(const std::string& name, const ModelConfig& config, std::set<std::string>& chosen) {
  const auto refuse = [&name](const std::string& problem) {
    throw UserError(fmt::format("model.trainable: '{}' {}", name, problem));
  };
  const Module* module = row_named(modules(), name);
  if (module == nullptr)
    refuse(fmt::format("is not a module that can train; those are {}",
                       fmt::join(module_names(), ", ")));
  if (!is_there(*module, config))
    refuse(fmt::format("belongs to a branch that the model lacks (model.branches: {})",
                       config::name_of(config.branches)));
  if (!chosen.insert(name).second) refuse("is named twice");
}

}  // namespace

std::vector<TrainedModule> trained_modules(const ModelConfig& config) {
  if (config.trainable.empty()) return published_modules(config);
  std::set<std::string> chosen;
  for (const TrainedModule& module : config.trainable) check(module.module, config, chosen);
  if (chosen.contains("lora") && chosen.contains("language_model"))
    throw UserError(
        "model.trainable: 'lora' adapts a frozen language model and cannot train together with "
        "'language_model'; leave one of them out");
  return config.trainable;
}

}  // namespace vllama::models
