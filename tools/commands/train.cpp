// vllama train: runs a training configuration.
#include "train/train.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "tools/commands/commands.h"

namespace vllama::tools {
namespace {

struct Arguments {
  std::string config_file;
  std::vector<std::string> overrides;
  train::TrainOptions options;
};

train::RunConfig read_config(const Arguments& arguments) {
  config::Tree tree = config::load_file(arguments.config_file);
  for (const std::string& assignment : arguments.overrides)
    config::apply_override(tree, assignment);
  return config::read<train::RunConfig>(tree);
}

}  // namespace

void add_train(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand("train", "Train from a configuration file.");
  command->footer(
      "Example:\n  vllama train configs/runs/demo_vision_stage1.yaml --set "
      "training.batch_size=8\n\n"
      "Keys of RUN.yaml, their defaults and meanings:\n" +
      config::help<train::RunConfig>());
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("run", arguments->config_file, "RUN.yaml")->required();
  command->add_option("--set", arguments->overrides, "key=value, over the file; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--resume", arguments->options.resume,
                   "auto: from the newest complete checkpoint; never; or a checkpoint's folder")
      ->capture_default_str();
  command->add_flag("--dry-run", arguments->options.dry_run,
                    "read everything, print the start-up report, and stop");
  command->callback([arguments, &exit_status] {
    exit_status = train::train(read_config(*arguments), arguments->options);
  });
}

}  // namespace vllama::tools
