// vllama train: runs a training configuration.
#include "train/train.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "tools/command_line/run_arguments.h"
#include "tools/commands/commands.h"
#include "tools/terminal/last_resort.h"

namespace vllama::tools {
namespace {

struct TrainArguments {
  RunArguments run;
  train::TrainOptions options;
};

}  // namespace

void add_train(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand("train", "Train from a configuration file.");
  command->footer(
      "Example:\n  vllama train configs/runs/demo_vision_stage1.yaml --set "
      "training.batch_size=8\n\n"
      "Keys of RUN.yaml, their defaults and meanings:\n" +
      config::help<train::RunConfig>());
  const auto arguments = std::make_shared<TrainArguments>();
  add_run_arguments(*command, arguments->run);
  add_resume_options(*command, arguments->options.resume, arguments->options.accept_changes);
  command->add_flag("--dry-run", arguments->options.dry_run,
                    "read everything, print the start-up report, and stop");
  command->callback([arguments, &exit_status] {
    arguments->options.when_failed = [](const std::string& reason, double seconds) {
      end_process_after(seconds, reason);
    };
    exit_status = train::train(read_config(arguments->run), arguments->options);
  });
}

}  // namespace vllama::tools
