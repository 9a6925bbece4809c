#include "tools/command_line/help_format.h"

#include <CLI/CLI.hpp>
#include <sstream>

#include "core/wrapped_text.h"

namespace vllama::tools {
namespace {

// Where descriptions begin, and the space that they keep from what they describe.
constexpr std::size_t kDescriptionColumn = 28, kGap = 2;

// "  name  description", or the description below a long name.
std::string entry(const std::string& name, const std::string& description) {
  std::string text = wrapped(name, kHelpColumns, kGap);
  if (description.empty()) return text;
  const std::string lines = wrapped(description, kHelpColumns, kDescriptionColumn);
  text.pop_back();
  const bool fits =
      text.find('\n') == std::string::npos && text.size() + kGap <= kDescriptionColumn;
  return fits ? text + lines.substr(text.size()) : text + "\n" + lines;
}

// A command line as a shell reads it, in several lines where one is too long.
std::string example(const std::string& line) {
  if (line.size() <= kHelpColumns) return line + "\n";
  constexpr const char* kContinued = " \\\n  ";
  std::istringstream lines(wrapped(line, kHelpColumns - 4, kGap));
  std::string text;
  for (std::string part; std::getline(lines, part);)
    text += (text.empty() ? "" : kContinued) + part;
  return text + "\n";
}

class HelpFormat : public CLI::Formatter {
 public:
  std::string make_description(const CLI::App* app) const override {
    const bool is_command = !app->get_name().empty();  // and no group of options
    return wrapped(CLI::Formatter::make_description(app), kHelpColumns) + (is_command ? "\n" : "");
  }

  std::string make_usage(const CLI::App* app, std::string name) const override {
    return wrapped(CLI::Formatter::make_usage(app, std::move(name)), kHelpColumns);
  }

  std::string make_subcommand(const CLI::App* command) const override {
    return entry(command->get_display_name(true), command->get_description());
  }

  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    return entry(make_option_name(option, is_positional) + make_option_opts(option),
                 make_option_desc(option));
  }

  std::string make_footer(const CLI::App* app) const override {
    std::string text;
    std::istringstream lines(CLI::Formatter::make_footer(app));
    for (std::string line; std::getline(lines, line);)
      text += line.starts_with(' ') ? example(line) : wrapped(line + "\n", kHelpColumns);
    return text;
  }
};

}  // namespace

void use_help_format(CLI::App& program) {
  program.formatter(std::make_shared<HelpFormat>());
}

}  // namespace vllama::tools
