// The members of JSON objects that readers of conversations need. Whatever is wrong with one is an
// EntryError: wrong_type, missing_key, or the reason that is given here.
#pragma once

#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace vllama::tables {

// Null if the key is absent, or its value null.
const nlohmann::json* find_member(const nlohmann::json& object, std::string_view key);
// missing_key unless the object has all of them, null or not.
void require_keys(const nlohmann::json& object, std::initializer_list<std::string_view> keys);
// missing_key names the keys that are there.
const nlohmann::json& required_list(const nlohmann::json& object, std::string_view key);
std::string required_text(const nlohmann::json& object, std::string_view key);
std::optional<std::string> optional_text(const nlohmann::json& object, std::string_view key);
// The same where published files also have a number, or true or false: as JSON writes it, "3".
std::string required_words(const nlohmann::json& object, std::string_view key);
std::optional<std::string> optional_words(const nlohmann::json& object, std::string_view key);
// A value of that kind. `what` names it in the error.
std::string words_of(const nlohmann::json& value, std::string_view what);
// Text, or an integer written out. missing_id, also if it is empty.
std::string required_id(const nlohmann::json& object, std::string_view key = "id");

// A number. wrong_type.
std::optional<double> optional_seconds(const nlohmann::json& object, std::string_view key);

bool is_blank(std::string_view text);

}  // namespace vllama::tables
