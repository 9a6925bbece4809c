// Turns a configuration of the Python original into one of ours.
#pragma once

#include <string>
#include <vector>

#include "config/tree.h"

namespace vllama::train {

struct ImportedConfig {
  config::Tree run;  // reads as a RunConfig; what it does not say has our default
  // Every key that has no place in `run`, with the reason, and where a carried value means
  // something else than before or is a stand-in: "file:line: model.freeze_vit: must be true, as it
  // is: ...".
  std::vector<std::string> notes;
};

// `text` is the original's YAML; `name` stands for its file in messages. Paths stay as they are.
// Throws one UserError that names, with lines, all that must be filled in or changed first.
ImportedConfig import_config(const std::string& text, const std::string& name);

}  // namespace vllama::train
