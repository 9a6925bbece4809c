// Paths as configurations write them: with ~ and variables of the environment.
#pragma once

#include <string>

namespace vllama::config {

// The path that a text of a configuration stands for. "~" and "~/..." begin in the user's home
// folder ($HOME); "$NAME" and "${NAME}" are variables of the environment; "$$" is a dollar sign.
// Throws UserError that says what is wrong and names no place: a variable that is not set or is
// empty, a "$" that begins no name, "~name".
std::string expanded_path(const std::string& text);

// The text that expanded_path() makes this path of.
std::string path_text(const std::string& path);

}  // namespace vllama::config
