// The values of an enum by the names that configurations give them. Beside the enum stands
//
//   enum class Sampling { uniform, headtail };
//   constexpr auto names_of(Sampling) {
//     return config::EnumNames<Sampling, 2>{{{Sampling::uniform, "uniform"}, ...}};
//   }
//
// and a field of that type takes these names, says them where another is given, and is written so.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/error.h"

namespace vllama::config {

template <class Enum, std::size_t N>
using EnumNames = std::array<std::pair<Enum, std::string_view>, N>;

template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T value) {
  names_of(value);
};

template <NamedEnum Enum>
std::string name_of(Enum value) {
  for (const auto& [named, name] : names_of(value))
    if (named == value) return std::string(name);
  throw InternalError("an enum has a value without a name");
}

// Nothing for a name of none.
template <NamedEnum Enum>
std::optional<Enum> value_named(std::string_view wanted) {
  for (const auto& [value, name] : names_of(Enum{}))
    if (name == wanted) return value;
  return std::nullopt;
}

template <class Values>
std::vector<std::string> names_of_each(const Values& values) {
  std::vector<std::string> names;
  for (const auto value : values) names.push_back(name_of(value));
  return names;
}

template <NamedEnum Enum>
std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const auto& [value, name] : names_of(Enum{})) names.emplace_back(name);
  return names;
}

}  // namespace vllama::config
