// The fields of a configuration as options of a command: --max-new-tokens for max_new_tokens.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "config/fields.h"

namespace vllama::tools {

// Adds an option to the command for every field it is visited with.
class OptionAdder {
 public:
  OptionAdder(CLI::App& command, std::string group, std::vector<std::string>& assignments)
      : command_(command), group_(std::move(group)), assignments_(assignments) {}

  template <class T, class... Rules>
  void operator()(const char* name, T& value, const char* help, const Rules&...) {
    std::string option = std::string("--") + name;
    std::replace(option.begin(), option.end(), '_', '-');
    const auto assign = [&assignments = assignments_, name](const std::string& text) {
      assignments.push_back(std::string(name) + "=" + text);
    };
    CLI::Option* added;
    if constexpr (std::is_same_v<T, bool>)
      added = command_.add_flag_callback(
          option, [assign] { assign("true"); }, help);
    else
      added = command_.add_option_function<std::string>(option, assign, help)
                  ->default_str(config::format(value).scalar);
    added->group(group_);
  }

 private:
  CLI::App& command_;
  std::string group_;
  std::vector<std::string>& assignments_;
};

// `assignments` outlives the parsing of the command line.
template <config::Section T>
void add_config_options(CLI::App& command, const std::string& group,
                        std::vector<std::string>& assignments) {
  T config;
  config.visit(OptionAdder(command, group, assignments));
}

// Throws UserError for a value that its field does not take.
template <config::Section T>
T config_from(const std::vector<std::string>& assignments) {
  config::Tree tree = config::load_text("{}", "options");
  for (const std::string& assignment : assignments) {
    config::apply_override(tree, assignment);
    tree.child(assignment.substr(0, assignment.find('='))).source = "options";
  }
  return config::read<T>(tree);
}

}  // namespace vllama::tools
