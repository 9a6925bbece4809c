#include "eval/evaluate/unused_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "inference/generate/settings_without_effect.h"

namespace vllama::eval {
namespace {

// The texts of a configuration's fields by name.
struct FieldTexts {
  std::map<std::string, std::string> texts = {};
  template <class T, class... Rules>
  void operator()(const char* name, T& value, const char*, const Rules&...) {
    texts[name] = config::format(value).scalar;
  }
};

template <config::Section T>
std::set<std::string> changed_fields(T value) {
  T usual;
  FieldTexts before, now;
  usual.visit(before);
  value.visit(now);
  std::set<std::string> names;
  for (const auto& [name, text] : now.texts)
    if (before.texts[name] != text) names.insert(name);
  return names;
}

// What a field needs to have an effect; empty if it has one.
std::string need_of(const TaskConfig& task, const std::string& field) {
  const TaskFormat& format = task_format(task.format);
  const std::string formats = formats_with_setting(field);
  if (!formats.empty() &&
      std::ranges::find(format.own_settings, field) == format.own_settings.end())
    return "format: " + formats;
  const bool has_captions = format.answers == AnswerForm::caption;
  if ((field == "objects" || field == "object_names") && (!has_captions || task.num_candidates > 0))
    return "a format of captions, without num_candidates";
  if (field == "control_seed" && task.media != TaskMedia::other &&
      task.frame_order != FrameOrder::shuffled)
    return "media: other, or frame_order: shuffled";
  const bool may_have_options = format.may_have_options || task.num_candidates > 0;
  if ((field == "choose_by" || field == "option_score") && !may_have_options)
    return "questions with options";
  if (field == "option_score" && task.choose_by != ChooseBy::likelihood)
    return "choose_by: likelihood";
  return "";
}

}  // namespace

std::vector<std::string> unused_settings(const inference::GenerationConfig& generation,
                                         const std::vector<TaskConfig>& tasks) {
  std::vector<std::string> notes;
  for (const std::string& note : inference::without_effect(generation, changed_fields(generation)))
    notes.push_back("generation." + note);
  for (const TaskConfig& task : tasks)
    for (const std::string& field : changed_fields(task))
      if (const std::string need = need_of(task, field); !need.empty())
        notes.push_back(
            fmt::format("{} of the task '{}' has no effect: it needs {}", field, task.name, need));
  return notes;
}

}  // namespace vllama::eval
