#include "tables/json_fields.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tables/entry_error.h"

namespace vllama::tables {

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

std::optional<double> optional_seconds(const json& object, std::string_view key) {
  const json* value = find_member(object, key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) fail_type(key, "a number of seconds", *value);
  return value->get<double>();
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace vllama::tables
