// The modules of a model that can train: what each is called, and which parameters are its own.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vllama::models {

enum class ModulePlace { vision_branch, audio_branch, language_model };

struct Module {
  std::string_view name;  // as in model.trainable
  ModulePlace place;
  // What the names of its parameters begin with in published files; adapters have none, since they
  // stand beside what they adapt.
  std::array<std::string_view, 2> beginnings = {};
  // Trains where nothing is named, as published; what does lies in the file of its branch.
  bool trains_as_published = false;

  bool owns(std::string_view parameter_name) const;
};

// In the order in which their parameters are listed.
std::span<const Module> modules();
std::vector<std::string> module_names();

// The module that a parameter of a checkpoint belongs to; empty for those that never train.
std::string module_of(const std::string& parameter_name);

}  // namespace vllama::models
