// The modules of a model that can train, and the parts of a published checkpoint: what each is
// called, and whose it is. Whatever else needs a name asks here.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "config/enum_names.h"

namespace vllama::models {

enum class ModulePlace { vision_branch, audio_branch, language_model };

// As in model.trainable, in the order in which their parameters are listed.
enum class ModuleName {
  vision_encoder,
  vision_encoder_lora,
  audio_encoder,
  audio_encoder_lora,
  image_q_former,
  video_q_former,
  vision_mlp,
  frame_positions,
  projection,
  audio_q_former,
  audio_positions,
  audio_projection,
  lora,
  language_model,
};
constexpr auto names_of(ModuleName) {
  using enum ModuleName;
  return config::EnumNames<ModuleName, 14>{{{vision_encoder, "vision_encoder"},
                                            {vision_encoder_lora, "vision_encoder_lora"},
                                            {audio_encoder, "audio_encoder"},
                                            {audio_encoder_lora, "audio_encoder_lora"},
                                            {image_q_former, "image_q_former"},
                                            {video_q_former, "video_q_former"},
                                            {vision_mlp, "vision_mlp"},
                                            {frame_positions, "frame_positions"},
                                            {projection, "projection"},
                                            {audio_q_former, "audio_q_former"},
                                            {audio_positions, "audio_positions"},
                                            {audio_projection, "audio_projection"},
                                            {lora, "lora"},
                                            {language_model, "language_model"}}};
}

struct Module {
  ModuleName name;
  ModulePlace place;
  // What trains where nothing is named, if the model has it, lies in the file of its branch.
  bool trains_by_default = false;
  bool is_published = false;  // also trains in the original
  // Adapters have no part of a file: they stand beside what they adapt, which is frozen.
  std::optional<ModuleName> adapts = {};

  bool owns(std::string_view parameter_name) const;
};

std::span<const Module> modules();
const Module& row_of(ModuleName name);

// Whether a module is an encoder, or adapters of one.
bool is_of_encoder(ModuleName module);

// Those of a branch that train in the original, which a published file of the branch holds.
std::vector<ModuleName> modules_of_branch(ModulePlace branch);

// The module that a parameter of a checkpoint belongs to; nothing for those that never train.
std::optional<ModuleName> module_of(std::string_view parameter_name);
bool is_of_adapter(std::string_view parameter_name);

// What a part holds.
enum class PartKind {
  encoder,
  queries,
  layers,
  mlp,
  projection,
  positions,
  language_model,
  buffers
};

// Parameters whose names begin alike: "video_query_tokens" itself, or "llama_proj.weight" and what
// else lies below "llama_proj".
struct PublishedPart {
  std::string_view beginning;
  PartKind kind;
  std::optional<ModuleName> module;  // nothing: never trains

  bool holds(std::string_view parameter_name) const;
  // Of its module.
  std::optional<ModulePlace> place() const;
};

// In the order of a published checkpoint: the original's own parameters, then its modules, as its
// constructor makes them.
std::span<const PublishedPart> published_parts();

// The place of a parameter among the parts; behind the last for one of none.
std::size_t published_place(std::string_view parameter_name);

}  // namespace vllama::models
