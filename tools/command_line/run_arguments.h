// RUN.yaml and --set, as every command that takes a run has them.
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "train/run/run_config.h"

namespace vllama::tools {

struct RunArguments {
  std::string config_file;
  std::vector<std::string> overrides;
};

// `arguments` must live until the command line has been parsed.
void add_run_arguments(CLI::App& command, RunArguments& arguments);

// --resume and --accept-changes, of what goes on from a checkpoint. Both live until the command
// line has been parsed.
void add_resume_options(CLI::App& command, std::string& resume, bool& accept_changes);

// Throws UserError naming the place of the mistake.
train::RunConfig read_config(const RunArguments& arguments);

}  // namespace vllama::tools
