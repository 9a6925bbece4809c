#include "models/modules.h"

#include <algorithm>

#include "core/named_rows.h"

namespace vllama::models {
namespace {

constexpr std::string_view kAdapters = "lora";

using enum ModulePlace;

// The LayerNorm behind the image encoder stays frozen with it, as published.
constexpr Module kModules[] = {
    {.name = "image_q_former", .place = vision_branch},
    {.name = "video_q_former", .place = vision_branch, .trains_as_published = true},
    {.name = "frame_positions", .place = vision_branch, .trains_as_published = true},
    {.name = "projection", .place = vision_branch, .trains_as_published = true},
    {.name = "audio_q_former", .place = audio_branch, .trains_as_published = true},
    {.name = "audio_positions", .place = audio_branch, .trains_as_published = true},
    {.name = "audio_projection", .place = audio_branch, .trains_as_published = true},
    {.name = kAdapters, .place = language_model},
    {.name = "language_model", .place = language_model},
};

constexpr PublishedPart kParts[] = {
    {"query_tokens", PartKind::queries, "image_q_former"},
    {"video_query_tokens", PartKind::queries, "video_q_former"},
    {"audio_query_tokens", PartKind::queries, "audio_q_former"},
    {"Qformer", PartKind::layers, "image_q_former"},
    {"llama_model", PartKind::language_model, "language_model"},
    {"llama_proj", PartKind::projection, "projection"},
    {"video_frame_position_embedding", PartKind::positions, "frame_positions"},
    {"video_Qformer", PartKind::layers, "video_q_former"},
    {"audio_encoder", PartKind::buffers, ""},
    {"audio_Qformer", PartKind::layers, "audio_q_former"},
    {"audio_llama_proj", PartKind::projection, "audio_projection"},
    {"audio_position_embedding", PartKind::positions, "audio_positions"},
};

bool is_of_adapter(std::string_view parameter_name) {
  return parameter_name.ends_with(".lora_A.weight") || parameter_name.ends_with(".lora_B.weight");
}

}  // namespace

bool Module::owns(std::string_view parameter_name) const {
  if (is_of_adapter(parameter_name)) return name == kAdapters;
  return std::ranges::any_of(kParts, [&](const PublishedPart& part) {
    return part.module == name && part.holds(parameter_name);
  });
}

std::span<const Module> modules() {
  return kModules;
}

std::vector<std::string> module_names() {
  return names_of_rows(kModules);
}

std::vector<std::string> modules_of_branch(ModulePlace branch) {
  std::vector<std::string> names;
  for (const Module& module : kModules)
    if (module.place == branch && module.trains_as_published) names.emplace_back(module.name);
  return names;
}

bool trains_as_published(std::string_view module) {
  const Module* found = row_named(kModules, module);
  return found != nullptr && found->trains_as_published;
}

std::string module_of(const std::string& parameter_name) {
  for (const Module& module : kModules)
    if (module.owns(parameter_name)) return std::string(module.name);
  return {};
}

bool PublishedPart::holds(std::string_view parameter_name) const {
  if (!parameter_name.starts_with(beginning)) return false;
  return parameter_name.size() == beginning.size() || parameter_name[beginning.size()] == '.';
}

ModulePlace PublishedPart::place() const {
  const Module* found = row_named(kModules, module);
  return found == nullptr ? language_model : found->place;
}

std::span<const PublishedPart> published_parts() {
  return kParts;
}

std::size_t published_place(std::string_view parameter_name) {
  return static_cast<std::size_t>(
      std::ranges::find_if(kParts, [&](const auto& part) { return part.holds(parameter_name); }) -
      kParts);
}

}  // namespace vllama::models
