// vllama export: writes what was trained in forms that others read.
#include "train/export/export.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "core/error.h"
#include "tools/command_line/enum_option.h"
#include "tools/commands/commands.h"

namespace vllama::tools {
namespace {

enum class ExportFormat { safetensors, pth };
constexpr auto names_of(ExportFormat) {
  return config::EnumNames<ExportFormat, 2>{
      {{ExportFormat::safetensors, "safetensors"}, {ExportFormat::pth, "pth"}}};
}

struct ExportArguments {
  train::ExportOptions options;
  std::string output, bundle;
  std::optional<ExportFormat> format;
  train::BaseWeights base = train::BaseWeights::link;
};

void run(ExportArguments& arguments) {
  train::ExportOptions& options = arguments.options;
  if (!arguments.bundle.empty()) {
    options.output = arguments.bundle;
    return train::export_bundle(options, arguments.base);
  }
  if (arguments.output.empty() || !arguments.format)
    throw UserError(
        "say what to write: --format safetensors|pth with --output PATH, or --bundle "
        "FOLDER");
  options.output = arguments.output;
  if (arguments.format == ExportFormat::pth)
    train::export_pth(options);
  else
    train::export_safetensors(options);
}

}  // namespace

void add_export(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "export",
      "Write what was trained as safetensors with a model card, as a checkpoint of the "
      "Python original, or as a folder that chat and eval open without any other path.");
  command->footer(
      "Examples:\n"
      "  vllama export runs/demo_vision_stage1 --bundle demo_model\n"
      "  vllama export runs/demo_vision_stage1/best --format safetensors --output demo_weights\n"
      "  vllama export runs/demo_vision_stage1/checkpoints/step_000200 --format pth --output "
      "demo.pth\n"
      "  vllama export finetune-vicuna7b-v2.pth --format safetensors --output finetuned\n\n"
      "The forms are described in docs/export.md.");
  const auto arguments = std::make_shared<ExportArguments>();
  command
      ->add_option("checkpoint", arguments->options.checkpoint,
                   "a step's folder; a run's folder: its newest step; RUN/best; a RUN.yaml: the "
                   "weights that it names; a .pth of the Python original")
      ->required();
  CLI::Option* format = add_enum_option(*command, "--format", arguments->format,
                                        "safetensors: a folder; pth: a file");
  CLI::Option* output =
      command->add_option("--output", arguments->output, "what to write")->needs(format);
  CLI::Option* bundle =
      command->add_option("--bundle", arguments->bundle, "folder to write in place of --output")
          ->excludes(output)
          ->excludes(format);
  add_enum_option(*command, "--base", arguments->base,
                  "base weights of a bundle: links to where they are, or copies")
      ->needs(bundle);
  add_enum_option(*command, "--lora", arguments->options.lora,
                  "adapters of the language model: as they are, or merged into a whole one");
  command
      ->add_option("--set", arguments->options.overrides,
                   "key=value, over the checkpoint's configuration; may be repeated")
      ->allow_extra_args(false);
  command->add_flag("--force", arguments->options.force,
                    "replace what an earlier export wrote there");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace vllama::tools
