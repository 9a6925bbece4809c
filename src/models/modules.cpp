#include "models/modules.h"

#include <algorithm>
#include <iterator>

#include "core/error.h"

namespace vllama::models {
namespace {

using enum ModulePlace;

// The LayerNorm behind the image encoder stays frozen with it, as published.
constexpr Module kModules[] = {
    {.name = ModuleName::vision_encoder, .place = vision_branch},
    {.name = ModuleName::vision_encoder_lora,
     .place = vision_branch,
     .adapts = ModuleName::vision_encoder},
    {.name = ModuleName::audio_encoder, .place = audio_branch},
    {.name = ModuleName::audio_encoder_lora,
     .place = audio_branch,
     .adapts = ModuleName::audio_encoder},
    {.name = ModuleName::image_q_former, .place = vision_branch},
    {.name = ModuleName::video_q_former,
     .place = vision_branch,
     .trains_by_default = true,
     .is_published = true},
    {.name = ModuleName::vision_mlp, .place = vision_branch, .trains_by_default = true},
    {.name = ModuleName::frame_positions,
     .place = vision_branch,
     .trains_by_default = true,
     .is_published = true},
    {.name = ModuleName::projection,
     .place = vision_branch,
     .trains_by_default = true,
     .is_published = true},
    {.name = ModuleName::audio_q_former,
     .place = audio_branch,
     .trains_by_default = true,
     .is_published = true},
    {.name = ModuleName::audio_positions,
     .place = audio_branch,
     .trains_by_default = true,
     .is_published = true},
    {.name = ModuleName::audio_projection,
     .place = audio_branch,
     .trains_by_default = true,
     .is_published = true},
    {.name = ModuleName::lora, .place = language_model, .adapts = ModuleName::language_model},
    {.name = ModuleName::language_model, .place = language_model},
};

constexpr PublishedPart kParts[] = {
    {"query_tokens", PartKind::queries, ModuleName::image_q_former},
    {"video_query_tokens", PartKind::queries, ModuleName::video_q_former},
    {"audio_query_tokens", PartKind::queries, ModuleName::audio_q_former},
    {"Qformer", PartKind::layers, ModuleName::image_q_former},
    {"llama_model", PartKind::language_model, ModuleName::language_model},
    {"llama_proj", PartKind::projection, ModuleName::projection},
    {"video_frame_position_embedding", PartKind::positions, ModuleName::frame_positions},
    {"video_Qformer", PartKind::layers, ModuleName::video_q_former},
    {"vision_mlp", PartKind::mlp, ModuleName::vision_mlp},
    {"audio_encoder", PartKind::buffers, std::nullopt},
    {"audio_Qformer", PartKind::layers, ModuleName::audio_q_former},
    {"audio_llama_proj", PartKind::projection, ModuleName::audio_projection},
    {"audio_position_embedding", PartKind::positions, ModuleName::audio_positions},
    // Not of the original, whose encoders never train.
    {"encoders.vision", PartKind::encoder, ModuleName::vision_encoder},
    {"encoders.audio", PartKind::encoder, ModuleName::audio_encoder},
};

}  // namespace

bool Module::owns(std::string_view parameter_name) const {
  if (is_of_adapter(parameter_name) != adapts.has_value()) return false;
  return std::ranges::any_of(kParts, [&](const PublishedPart& part) {
    return part.module == adapts.value_or(name) && part.holds(parameter_name);
  });
}

std::span<const Module> modules() {
  return kModules;
}

const Module& row_of(ModuleName name) {
  const auto* found = std::ranges::find(kModules, name, &Module::name);
  VLLAMA_ASSERT(found != std::end(kModules), "a module without a row: " + config::name_of(name));
  return *found;
}

bool is_of_encoder(ModuleName module) {
  const ModuleName adapted = row_of(module).adapts.value_or(module);
  return adapted == ModuleName::vision_encoder || adapted == ModuleName::audio_encoder;
}

std::vector<ModuleName> modules_of_branch(ModulePlace branch) {
  std::vector<ModuleName> names;
  for (const Module& module : kModules)
    if (module.place == branch && module.is_published) names.push_back(module.name);
  return names;
}

std::optional<ModuleName> module_of(std::string_view parameter_name) {
  for (const Module& module : kModules)
    if (module.owns(parameter_name)) return module.name;
  return std::nullopt;
}

bool is_of_adapter(std::string_view parameter_name) {
  return parameter_name.ends_with(".lora_A.weight") || parameter_name.ends_with(".lora_B.weight");
}

bool PublishedPart::holds(std::string_view parameter_name) const {
  if (!parameter_name.starts_with(beginning)) return false;
  return parameter_name.size() == beginning.size() || parameter_name[beginning.size()] == '.';
}

std::optional<ModulePlace> PublishedPart::place() const {
  return module ? std::optional(row_of(*module).place) : std::nullopt;
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
