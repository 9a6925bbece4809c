// vllama show: examples as the model sees them.
#include "train/show/show.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "core/terminal_text.h"
#include "tools/command_line/run_arguments.h"
#include "tools/commands/commands.h"
#include "train/record/progress.h"
#include "train/run/find_step.h"

namespace vllama::tools {
namespace {

struct ShowArguments {
  RunArguments run;
  train::ShowOptions options;
};

// Colour on a terminal, unless NO_COLOR is set to anything (no-color.org).
bool wants_colour() {
  const char* refusal = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) == 1 && (refusal == nullptr || *refusal == '\0');
}

}  // namespace

void add_show(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "show",
      "Draw an example, or all of a step, as the model sees them: frames, sound, tokens with their "
      "targets.");
  command->footer(
      "Example:\n  vllama show configs/runs/demo_vision_stage1.yaml --sample 3 --output /tmp/show\n"
      "  vllama show configs/runs/demo_vision_stage1.yaml --step 100\n"
      "  vllama show configs/runs/demo_vision_stage1.yaml --bad-steps --losses\n\n"
      "Of one example it writes frames.png, sound.png and example.html into the output folder; of "
      "steps steps.html.");
  const auto arguments = std::make_shared<ShowArguments>();
  train::ShowOptions& options = arguments->options;
  add_run_arguments(*command, arguments->run);
  CLI::Option* step = command->add_option(
      "--step", options.step, "all samples of this step of the run, from 1 as in metrics.jsonl");
  CLI::Option* sample = command->add_option(
      "--sample", options.sample,
      "this record of the data set, from 0, counting valid entries only; default 0; with --step "
      "this sample of the step");
  CLI::Option* dataset =
      command
          ->add_option("--dataset", options.dataset, "name of the data set; default: the first one")
          ->excludes(step);
  command
      ->add_option(
          "--bad-steps", options.bad_steps,
          "the steps of a bad_steps.jsonl, by default the run's own; with --step only that "
          "one")
      ->expected(0, 1)
      ->excludes(sample)
      ->excludes(dataset);
  command
      ->add_option("--losses", options.losses,
                   "also the loss and gradient norm of each sample, with the weights of this "
                   "checkpoint, by default the run's newest")
      ->expected(0, 1);
  command->add_option("--output", options.output, "folder for the files")->capture_default_str();
  command->callback([arguments] {
    // Of a step that is named itself the losses are with its own weights.
    if (auto& losses = arguments->options.losses; losses && losses->empty())
      losses = train::find_step(arguments->run.config_file).value_or("");
    arguments->options.style = {.has_colour = wants_colour(),
                                .has_unicode = train::standard_error().has_unicode};
    const std::string text = train::show(read_config(arguments->run), arguments->options);
    (arguments->options.style.has_colour ? raw_output() : std::cout) << text;
  });
}

}  // namespace vllama::tools
