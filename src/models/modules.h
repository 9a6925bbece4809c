// The modules of a model that can train, and the parts of a published checkpoint: what each is
// called, and whose it is. Whatever else needs a name asks here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vllama::models {

enum class ModulePlace { vision_branch, audio_branch, language_model };

struct Module {
  std::string_view name;  // as in model.trainable
  ModulePlace place;
  // Trains where nothing is named, as published; what does lies in the file of its branch.
  bool trains_as_published = false;

  // Adapters have no part of a file, since they stand beside what they adapt.
  bool owns(std::string_view parameter_name) const;
};

// In the order in which their parameters are listed.
std::span<const Module> modules();
std::vector<std::string> module_names();

// Those of a branch that train as published, which a file of the branch holds.
std::vector<std::string> modules_of_branch(ModulePlace branch);
// Whether the module named so does; false for none.
bool trains_as_published(std::string_view module);

// The module that a parameter of a checkpoint belongs to; empty for those that never train.
std::string module_of(const std::string& parameter_name);

// What a part holds.
enum class PartKind { queries, layers, projection, positions, language_model, buffers };

// Parameters whose names begin alike: "video_query_tokens" itself, or "llama_proj.weight" and what
// else lies below "llama_proj".
struct PublishedPart {
  std::string_view beginning;
  PartKind kind;
  std::string_view module;  // empty: never trains

  bool holds(std::string_view parameter_name) const;
  // Of its module, which it has.
  ModulePlace place() const;
};

// In the order of a published checkpoint: the original's own parameters, then its modules, as its
// constructor makes them.
std::span<const PublishedPart> published_parts();

// The place of a parameter among the parts; behind the last for one of none.
std::size_t published_place(std::string_view parameter_name);

}  // namespace vllama::models
