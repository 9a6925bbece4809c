#include "tools/command_line/command_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/nearest_name.h"

namespace vllama::tools {
namespace {

std::string suggestion(const std::string& name, const std::vector<std::string>& names) {
  const auto nearest = nearest_name(name, names);
  return nearest ? fmt::format("; did you mean {}?", *nearest) : "";
}

// "vllama bench data"
std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : full_name(*parent) + " " + command.get_name();
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// The command that the words were for: the last one that was parsed.
const CLI::App& chosen_command(const CLI::App& program) {
  const auto chosen = program.get_subcommands();
  return chosen.empty() ? program : chosen_command(*chosen.back());
}

std::string no_option(const CLI::App& command, const std::string& word) {
  const std::string option = word.substr(0, word.find('='));
  return fmt::format("{} has no option '{}'{}", full_name(command), word,
                     suggestion(option, option_names(command)));
}

// In front of a command's name.
void require_known_option(const CLI::App& command, const std::string& word) {
  if (command.get_option_no_throw(word.substr(0, word.find('='))) == nullptr)
    throw UserError(no_option(command, word));
}

}  // namespace

void require_known_commands(CLI::App& program, int argc, const char* const* argv) {
  CLI::App* command = &program;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const auto commands = command->get_subcommands([](const CLI::App* known) {
      return !known->get_name().empty();  // those without are groups of options
    });
    if (commands.empty()) return;
    if (name.starts_with('-')) return require_known_option(*command, name);
    const auto next = std::ranges::find_if(
        commands, [&](const CLI::App* known) { return known->get_name() == name; });
    std::vector<std::string> names;
    for (const CLI::App* known : commands) names.push_back(known->get_name());
    if (next == commands.end())
      throw UserError(fmt::format("there is no command '{0} {1}'{2}\n{0} --help lists them",
                                  full_name(*command), name, suggestion(name, names)));
    command = *next;
  }
}

std::string explain_extras(const CLI::App& program) {
  const CLI::App& command = chosen_command(program);
  std::string text;
  for (const std::string& word : command.remaining()) {
    text += word.starts_with('-')
                ? no_option(command, word)
                : fmt::format("{} does not know what to do with '{}'", full_name(command), word);
    text += "\n";
  }
  return text + full_name(command) + " --help lists what it takes";
}

}  // namespace vllama::tools
