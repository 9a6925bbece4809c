#include "tools/commands/run_arguments.h"

#include <CLI/CLI.hpp>

namespace vllama::tools {

void add_run_arguments(CLI::App& command, RunArguments& arguments) {
  command.add_option("run", arguments.config_file, "RUN.yaml")->required();
  command.add_option("--set", arguments.overrides, "key=value, over the file; may be repeated")
      ->allow_extra_args(false);
}

train::RunConfig read_config(const RunArguments& arguments) {
  config::Tree tree = config::load_file(arguments.config_file);
  for (const std::string& assignment : arguments.overrides)
    config::apply_override(tree, assignment);
  return config::read<train::RunConfig>(tree);
}

}  // namespace vllama::tools
