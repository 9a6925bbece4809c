#include "tools/command_line/run_arguments.h"

#include <CLI/CLI.hpp>

#include "train/run/recorded_config.h"

namespace vllama::tools {

void add_run_arguments(CLI::App& command, RunArguments& arguments) {
  command
      .add_option("run", arguments.config_file,
                  "RUN.yaml; or a run's folder or a step, for what was recorded there")
      ->required();
  command.add_option("--set", arguments.overrides, "key=value, over the file; may be repeated")
      ->allow_extra_args(false);
}

void add_resume_options(CLI::App& command, std::string& resume, bool& accept_changes) {
  command
      .add_option("--resume", resume,
                  "auto: from the newest complete checkpoint; never; or a step's folder, a run's "
                  "folder: its newest step, RUN/best")
      ->capture_default_str();
  command.add_flag("--accept-changes", accept_changes,
                   "resume although the configuration now trains something else");
}

train::RunConfig read_config(const RunArguments& arguments) {
  return train::read_run_config(arguments.config_file, arguments.overrides);
}

}  // namespace vllama::tools
