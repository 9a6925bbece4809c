#include "datasets/tables/json_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "datasets/entries/entry_error.h"

namespace vllama::datasets {

using nlohmann::json;

namespace {

[[noreturn]] void fail_type(std::string_view key, std::string_view expected, const json& value) {
  throw EntryError("wrong_type",
                   fmt::format("'{}' must be {}, not {}", key, expected, value.type_name()));
}

std::string names_of(const json& object) {
  std::string names;
  for (const auto& [name, value] : object.items())
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
  return names;
}

const json& required_member(const json& object, std::string_view key) {
  if (const json* found = find_member(object, key)) return *found;
  throw EntryError("missing_key", fmt::format("no '{}'; the keys are: {}", key, names_of(object)));
}

std::optional<double> optional_seconds(const json& object, std::string_view key) {
  const json* value = find_member(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) fail_type(key, "a number of seconds", *value);
  return value->get<double>();
}

}  // namespace

const json* find_member(const json& object, std::string_view key) {
  if (!object.is_object())
    throw EntryError("wrong_type", fmt::format("{} where an object with '{}' should be",
                                               object.type_name(), key));
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

void require_keys(const json& object, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys)
    if (find_member(object, key) == nullptr && !object.contains(key))
      throw EntryError("missing_key", fmt::format("there is no key '{}'; the keys are: {}", key,
                                                  names_of(object)));
}

const json& required_list(const json& object, std::string_view key) {
  const json& list = required_member(object, key);
  if (!list.is_array()) fail_type(key, "a list", list);
  return list;
}

std::string required_text(const json& object, std::string_view key) {
  const json& value = required_member(object, key);
  if (!value.is_string()) fail_type(key, "text", value);
  return value.get<std::string>();
}

std::optional<std::string> optional_text(const json& object, std::string_view key) {
  if (find_member(object, key) == nullptr) return std::nullopt;
  return required_text(object, key);
}

std::string words_of(const json& value, std::string_view what) {
  if (value.is_number() || value.is_boolean()) return value.dump();
  if (!value.is_string()) fail_type(what, "text", value);
  return value.get<std::string>();
}

std::string required_words(const json& object, std::string_view key) {
  return words_of(required_member(object, key), key);
}

std::optional<std::string> optional_words(const json& object, std::string_view key) {
  const json* value = find_member(object, key);
  return value == nullptr ? std::nullopt : std::optional(words_of(*value, key));
}

std::string required_id(const json& object, std::string_view key) {
  const json* value = find_member(object, key);
  if (value == nullptr) throw EntryError("missing_id");
  if (value->is_number_integer()) return value->dump();
  if (!value->is_string()) fail_type(key, "text or an integer", *value);
  std::string id = value->get<std::string>();
  if (id.empty()) throw EntryError("missing_id");
  return id;
}

void read_times(const json& object, MediaFile& file) {
  file.start_seconds = optional_seconds(object, "start").value_or(file.start_seconds);
  file.end_seconds = optional_seconds(object, "end").value_or(file.end_seconds);
  if (!(file.start_seconds >= 0 && file.start_seconds < file.end_seconds))
    throw EntryError("bad_time",
                     fmt::format("from {} s to {} s", file.start_seconds, file.end_seconds));
}

std::filesystem::path media_name(const std::string& path) {
  if (path.empty()) throw EntryError("missing_media");
  if (path.find('\0') != std::string::npos) throw EntryError("bad_path", "a path has a zero byte");
  if (path.find("://") != std::string::npos)
    throw EntryError("url", fmt::format("'{}' is an address: download it, and give the path of the "
                                        "file",
                                        path));
  return path;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

void require_answers(const text::Conversation& conversation) {
  if (std::ranges::all_of(conversation.turns,
                          [](const text::Turn& turn) { return is_blank(turn.answer); }))
    throw EntryError("missing_answer");
}

}  // namespace vllama::datasets
