// How --help is laid out: in lines for a plain terminal, whatever the texts.
#pragma once

#include <CLI/App.hpp>

namespace vllama::tools {

// Commands that are added to `program` afterwards take the layout over. Descriptions, and lines of
// a footer that do not begin with a space, are broken at spaces; examples so that a shell reads on.
void use_help_format(CLI::App& program);

}  // namespace vllama::tools
