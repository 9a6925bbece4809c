#include "eval/scores/json_members.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "core/error.h"
#include "core/json_depth.h"

namespace vllama::eval {

using nlohmann::json;

json parse_json(const std::string& text, const std::string& where) {
  if (is_nested_too_deep(text))
    throw UserError(fmt::format("{}: not JSON: nested more than {} deep", where, kMaxJsonDepth));
  try {
    return json::parse(text);
  } catch (const json::exception& problem) {
    throw UserError(fmt::format("{}: not JSON: {}", where, problem.what()));
  }
}

JsonMembers::JsonMembers(const json& object, const std::string& where)
    : object_(object), where_(where) {
  if (!object.is_object())
    fail(fmt::format("must be an object with keys, not {}", object.type_name()));
}

void JsonMembers::allow_only(std::span<const char* const> keys) const {
  for (const auto& [name, value] : object_.items())
    if (std::ranges::none_of(keys, [&](std::string_view key) { return key == name; }))
      fail(fmt::format("unknown key '{}'; the keys are: {}", name, fmt::join(keys, ", ")));
}

const json& JsonMembers::required(const char* key) const {
  const auto found = object_.find(key);
  if (found == object_.end()) fail(fmt::format("the key '{}' is absent", key));
  return *found;
}

std::string JsonMembers::text(const char* key) const {
  const json& value = required(key);
  if (!value.is_string()) fail(fmt::format("'{}' must be text, not {}", key, value.type_name()));
  return value.get<std::string>();
}

double JsonMembers::number(const char* key) const {
  const json& value = required(key);
  if (!value.is_number())
    fail(fmt::format("'{}' must be a number, not {}", key, value.type_name()));
  const double result = value.get<double>();
  if (!std::isfinite(result)) fail(fmt::format("'{}' must be a finite number", key));
  return result;
}

std::int64_t JsonMembers::count(const char* key) const {
  const json& value = required(key);
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const bool fits =
      value.is_number_unsigned() && value.get<std::uint64_t>() <= std::uint64_t{kMost};
  if (!fits) fail(fmt::format("'{}' must be a whole number from 0, not {}", key, value.dump()));
  return value.get<std::int64_t>();
}

std::vector<std::string> JsonMembers::texts(const char* key) const {
  const json& list = required(key);
  if (!list.is_array()) fail(fmt::format("'{}' must be a list, not {}", key, list.type_name()));
  std::vector<std::string> result;
  for (const json& value : list) {
    if (!value.is_string())
      fail(fmt::format("'{}' must hold texts, not {}", key, value.type_name()));
    result.push_back(value.get<std::string>());
  }
  return result;
}

std::vector<double> JsonMembers::numbers(const char* key) const {
  const json& list = required(key);
  if (!list.is_array()) fail(fmt::format("'{}' must be a list, not {}", key, list.type_name()));
  std::vector<double> result;
  for (const json& value : list) {
    if (!value.is_number() || !std::isfinite(value.get<double>()))
      fail(fmt::format("'{}' must hold finite numbers, not {}", key, value.type_name()));
    result.push_back(value.get<double>());
  }
  return result;
}

void JsonMembers::fail(const std::string& problem) const {
  throw UserError(where_ + ": " + problem);
}

}  // namespace vllama::eval
