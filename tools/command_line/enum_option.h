// An option of a command whose values are those of an enum, by their names (config/enum_names.h).
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "config/enum_names.h"

namespace vllama::tools {

// `value` outlives the parsing of the command line; unset, it is not shown as a default.
template <config::NamedEnum Enum>
CLI::Option* add_enum_option(CLI::App& command, const std::string& option,
                             std::optional<Enum>& value, const std::string& help) {
  return command
      .add_option_function<std::string>(
          option, [&value](const std::string& name) { value = config::value_named<Enum>(name); },
          help)
      ->check(CLI::IsMember(config::all_names<Enum>()));
}

template <config::NamedEnum Enum>
CLI::Option* add_enum_option(CLI::App& command, const std::string& option, Enum& value,
                             const std::string& help) {
  return command
      .add_option_function<std::string>(
          option, [&value](const std::string& name) { value = *config::value_named<Enum>(name); },
          help)
      ->check(CLI::IsMember(config::all_names<Enum>()))
      ->default_str(config::name_of(value));
}

}  // namespace vllama::tools
