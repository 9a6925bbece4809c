#include "models/modules.h"

#include <algorithm>

#include "core/named_rows.h"

namespace vllama::models {
namespace {

constexpr std::string_view kAdapters = "lora";

using enum ModulePlace;

// The LayerNorm behind the image encoder stays frozen with it, as published.
constexpr Module kModules[] = {
    {.name = "image_q_former", .place = vision_branch, .beginnings = {"query_tokens", "Qformer."}},
    {.name = "video_q_former",
     .place = vision_branch,
     .beginnings = {"video_query_tokens", "video_Qformer."},
     .trains_as_published = true},
    {.name = "frame_positions",
     .place = vision_branch,
     .beginnings = {"video_frame_position_embedding."},
     .trains_as_published = true},
    {.name = "projection",
     .place = vision_branch,
     .beginnings = {"llama_proj."},
     .trains_as_published = true},
    {.name = "audio_q_former",
     .place = audio_branch,
     .beginnings = {"audio_query_tokens", "audio_Qformer."},
     .trains_as_published = true},
    {.name = "audio_positions",
     .place = audio_branch,
     .beginnings = {"audio_position_embedding."},
     .trains_as_published = true},
    {.name = "audio_projection",
     .place = audio_branch,
     .beginnings = {"audio_llama_proj."},
     .trains_as_published = true},
    {.name = kAdapters, .place = language_model},
    {.name = "language_model", .place = language_model, .beginnings = {"llama_model."}},
};

bool is_of_adapter(std::string_view parameter_name) {
  return parameter_name.ends_with(".lora_A.weight") || parameter_name.ends_with(".lora_B.weight");
}

}  // namespace

bool Module::owns(std::string_view parameter_name) const {
  if (is_of_adapter(parameter_name)) return name == kAdapters;
  return std::ranges::any_of(beginnings, [&](std::string_view beginning) {
    return !beginning.empty() && parameter_name.starts_with(beginning);
  });
}

std::span<const Module> modules() {
  return kModules;
}

std::vector<std::string> module_names() {
  return names_of_rows(kModules);
}

std::string module_of(const std::string& parameter_name) {
  for (const Module& module : kModules)
    if (module.owns(parameter_name)) return std::string(module.name);
  return {};
}

}  // namespace vllama::models
