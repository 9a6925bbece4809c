#include "models/trainable.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "core/error.h"
#include "models/model_config.h"

namespace vllama::models {
namespace {

struct NameRule {
  std::string_view beginning, module;
};

// The LayerNorm behind the image encoder stays frozen with it, as published.
constexpr std::array<NameRule, 11> kNameRules{
    NameRule{"query_tokens", "image_q_former"},
    {"Qformer.", "image_q_former"},
    {"video_query_tokens", "video_q_former"},
    {"video_Qformer.", "video_q_former"},
    {"video_frame_position_embedding.", "frame_positions"},
    {"llama_proj.", "projection"},
    {"audio_query_tokens", "audio_q_former"},
    {"audio_Qformer.", "audio_q_former"},
    {"audio_position_embedding.", "audio_positions"},
    {"audio_llama_proj.", "audio_projection"},
    {"llama_model.", "language_model"}};

const std::vector<std::string> kVisionModules{"video_q_former", "frame_positions", "projection"};
const std::vector<std::string> kAudioModules{"audio_q_former", "audio_positions",
                                             "audio_projection"};

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

std::vector<TrainedModule> published_modules(const ModelConfig& config) {
  std::vector<TrainedModule> modules;
  if (config.has_vision())
    for (const std::string& name : kVisionModules) modules.push_back({name});
  if (config.has_audio())
    for (const std::string& name : kAudioModules) modules.push_back({name});
  return modules;
}

void check(const std::string& name, const ModelConfig& config, std::set<std::string>& chosen) {
  const auto refuse = [&name](const std::string& problem) {
    throw UserError(fmt::format("model.trainable: '{}' {}", name, problem));
  };
  if (!contains(kTrainableModules, name))
    refuse(fmt::format("is not a module that can train; those are {}",
                       fmt::join(kTrainableModules, ", ")));
  const bool of_vision = name == "image_q_former" || contains(kVisionModules, name);
  if ((of_vision && !config.has_vision()) || (contains(kAudioModules, name) && !config.has_audio()))
    refuse(fmt::format("belongs to a branch that the model lacks (model.branches: {})",
                       config.branches));
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

std::string module_of(const std::string& parameter_name) {
  if (parameter_name.ends_with(".lora_A.weight") || parameter_name.ends_with(".lora_B.weight"))
    return "lora";
  for (const NameRule& rule : kNameRules)
    if (parameter_name.starts_with(rule.beginning)) return std::string(rule.module);
  return {};
}

}  // namespace vllama::models
