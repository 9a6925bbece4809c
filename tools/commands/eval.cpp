// vllama eval: asks a trained model questions, and scores its answers.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/log.h"
#include "distributed/device.h"
#include "eval/evaluate/evaluate.h"
#include "eval/evaluate/score_table.h"
#include "eval/evaluate/unused_settings.h"
#include "eval/evaluate/write_results.h"
#include "tools/commands/commands.h"
#include "train/record/loss_points.h"
#include "train/saved/open_saved.h"

namespace vllama::tools {
namespace {

struct EvalArguments {
  std::string config_file;
  std::vector<std::string> overrides;
  bool force = false, verify = false;
};

eval::EvalConfig read_config(const EvalArguments& arguments) {
  config::Tree tree = config::load_file(arguments.config_file);
  for (const std::string& assignment : arguments.overrides)
    config::apply_override(tree, assignment);
  return config::read<eval::EvalConfig>(tree);
}

// Of the run that the saved step belongs to, if it lies in one.
std::vector<eval::LossPoint> losses_of_run(const std::filesystem::path& step) {
  return train::loss_points(step.parent_path().parent_path() / "metrics.jsonl");
}

void run(const EvalArguments& arguments) {
  const eval::EvalConfig config = read_config(arguments);
  const distributed::Launch launch = distributed::read_launch();
  const at::Device device = distributed::chosen_device(config.device, launch);
  distributed::set_num_threads(config.num_threads, launch);
  distributed::Communicator ranks(launch, config.distributed, device);
  try {
    const inference::OpenedModel opened = train::open_saved(
        config.model, device, {.verify = arguments.verify, .overrides = config.model_changes});
    if (ranks.is_first())
      for (const std::string& note : eval::unused_settings(config.generation, config.tasks))
        log::warn("{}", note);
    const eval::EvalResult result =
        eval::evaluate(config, inference::view_of(opened), ranks, arguments.force);
    if (ranks.is_first()) {
      eval::write_results(config, inference::view_of(opened), result,
                          losses_of_run(opened.origin.checkpoint));
      std::cout << eval::score_table(result) << "\nreport: " << config.output_dir
                << "/report.html\n";
    }
    ranks.leave();
  } catch (const std::exception& failure) {
    ranks.fail(failure.what());
    throw;
  }
}

}  // namespace

void add_eval(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("eval", "Ask a trained model questions and score its answers.");
  command->footer(
      "Example:\n  vllama eval configs/eval/demo.yaml --set model=demo/vision_stage2\n\n"
      "Keys of EVAL.yaml, their defaults and meanings:\n" +
      config::help<eval::EvalConfig>());
  const auto arguments = std::make_shared<EvalArguments>();
  command->add_option("config", arguments->config_file, "EVAL.yaml")->required();
  command->add_option("--set", arguments->overrides, "key=value, over the file; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--force", arguments->force,
                    "throw away the answers in output_dir and ask everything anew");
  command->add_flag("--verify", arguments->verify,
                    "compare the base weights of a bundle with their hashes, byte by byte");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace vllama::tools
