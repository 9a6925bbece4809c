// Reads a configuration file of the Python original, also as it was published: with values to be
// chosen, keys given twice and a block that is indented too far.
#pragma once

#include <string>
#include <vector>

#include "config/tree.h"

namespace vllama::train {

struct ReferenceFile {
  config::Tree tree;
  std::vector<std::string> warnings;  // "file:line: ..." of harmless mistakes
};

// `name` stands for the file in messages. Throws one UserError that lists every value of the form
// "a" or "b" with its line and alternatives, and every block indented below a key that has a value;
// and UserError for anything else that is not YAML, or a key given twice with different values.
ReferenceFile read_reference_file(const std::string& text, const std::string& name);

}  // namespace vllama::train
