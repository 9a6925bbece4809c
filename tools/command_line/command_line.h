// What is wrong with a command line, told with the name that was probably meant.
#pragma once

#include <CLI/App.hpp>

namespace vllama::tools {

// Throws UserError if the command line names a command, or an option before one, that `program`, or
// the command in front of it, does not have.
void require_known_commands(CLI::App& program, int argc, const char* const* argv);

// Of a command line whose parsing failed because of words that have no place in it: which ones, of
// which command, and the option that is named alike.
std::string explain_extras(const CLI::App& program);

}  // namespace vllama::tools
