// vllama check: what can be known about a run before it is launched.
#include "train/check/check.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "tools/command_line/run_arguments.h"
#include "tools/commands/commands.h"
#include "train/check/report.h"

namespace vllama::tools {
namespace {

struct CheckArguments {
  RunArguments run;
  train::CheckOptions options;
  bool json = false;
};

const std::map<std::string, train::MediaCheck> kMediaChecks = {
    {"sampled", train::MediaCheck::sampled},
    {"all", train::MediaCheck::all},
    {"none", train::MediaCheck::none}};

}  // namespace

void add_check(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "check", "Look at everything that a run needs, before it is launched; loads no weights.");
  command->footer(
      "Example:\n  vllama check configs/runs/demo_vision_stage1.yaml --media all\n\n"
      "Ends with 0 if nothing is wrong, with 2 after a list of all problems.");
  const auto arguments = std::make_shared<CheckArguments>();
  add_run_arguments(*command, arguments->run);
  add_resume_options(*command, arguments->options.resume, arguments->options.accept_changes);
  command
      ->add_option("--media", arguments->options.media,
                   "whose files are looked for: sampled, all or none; default sampled")
      ->transform(CLI::CheckedTransformer(kMediaChecks))
      ->option_text("NAME");
  command
      ->add_option("--samples", arguments->options.num_samples,
                   "records of each data set that are built into samples")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40))
      ->option_text("N")
      ->capture_default_str();
  const CLI::Range counts(std::int64_t{1}, std::int64_t{1} << 20);
  command
      ->add_option("--ranks", arguments->options.ranks.num_ranks,
                   "ranks that the run will have, for the memory of one of them")
      ->check(counts)
      ->option_text("N")
      ->capture_default_str();
  command
      ->add_option("--local-ranks", arguments->options.ranks.num_local_ranks,
                   "ranks on a machine, where they share the language model")
      ->check(counts)
      ->option_text("N")
      ->capture_default_str();
  command->add_flag("--json", arguments->json, "one JSON object instead of tables");
  command->callback([arguments, &exit_status] {
    const train::CheckReport report = train::check(read_config(arguments->run), arguments->options);
    std::cout << (arguments->json
                      ? train::report_json(report)
                      : train::report_text(report, arguments->options.progress.has_unicode));
    exit_status = report.problems.empty() ? 0 : 2;
  });
}

}  // namespace vllama::tools
