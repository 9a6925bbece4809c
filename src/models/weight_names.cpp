#include "models/weight_names.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace vllama::models {
namespace {

constexpr std::string_view kDigits = "0123456789";

bool is_of_other_branch(const std::string& name, ModulePlace place) {
  return std::ranges::any_of(modules(), [&](const Module& module) {
    return module.place != place && module.trains_by_default && module.owns(name);
  });
}

// The names come from files and may be of any length, so they are taken apart without recursion.

// What follows `beginning`, or nothing if the name begins otherwise.
std::optional<std::string_view> after(std::string_view name, std::string_view beginning) {
  if (!name.starts_with(beginning)) return std::nullopt;
  return name.substr(beginning.size());
}

// The part up to the next dot, which is taken off the name with it; nothing without a dot.
std::optional<std::string_view> split_at_dot(std::string_view& name) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view part = name.substr(0, dot);
  name.remove_prefix(dot + 1);
  return part;
}

bool consists_of(std::string_view text, std::string_view letters) {
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

}  // namespace

bool is_unused_q_former_name(const std::string& name) {
  if (auto rest = after(name, "Qformer.bert.encoder.layer.")) {
    const auto layer = split_at_dot(*rest), part = split_at_dot(*rest);
    const bool is_text_path = part && (*part == "intermediate" || *part == "output");
    if (is_text_path && consists_of(*layer, kDigits)) return true;
  }
  return name.starts_with("t5_proj.") || name.starts_with("opt_proj.") ||
         name.starts_with("Qformer.cls.") ||
         name.starts_with("Qformer.bert.embeddings.word_embeddings.") ||
         name.starts_with("Qformer.bert.embeddings.position_embeddings.") ||
         name.ends_with(".position_ids");
}

bool is_unused_language_model_name(const std::string& name) {
  return name.ends_with(".rotary_emb.inv_freq");
}

bool is_buffer_of_frozen_module(const std::string& name) {
  return name.ends_with(".position_ids") || is_unused_language_model_name(name) ||
         name.starts_with("audio_encoder.");
}

bool is_unused_in_checkpoint(const std::string& name, ModulePlace place) {
  return is_buffer_of_frozen_module(name) || is_of_other_branch(name, place);
}

}  // namespace vllama::models
