// vllama import-config: a configuration of the Python original as one of ours.
#include "train/original/import_config.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "core/files.h"
#include "tools/commands/commands.h"

namespace vllama::tools {
namespace {

struct ImportConfigArguments {
  std::string reference_file, output_file;
};

void import_config(const ImportConfigArguments& arguments) {
  const auto imported =
      train::import_config(read_file(arguments.reference_file), arguments.reference_file);
  for (const std::string& note : imported.notes) std::cerr << note << "\n";
  const std::string text = fmt::format("# Imported from {}.\n{}", arguments.reference_file,
                                       config::to_yaml(imported.run));
  if (arguments.output_file.empty())
    std::cout << text;
  else
    write_file_atomically(arguments.output_file, text);
}

}  // namespace

void add_import_config(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "import-config",
      "Turn a configuration of the Python original into one of ours. Names every key that has no "
      "place here, with the reason, and all values that must be chosen first.");
  command->footer(
      "Example:\n  vllama import-config train_configs/visionbranch_stage2_finetune.yaml "
      "--output stage2.yaml");
  const auto arguments = std::make_shared<ImportConfigArguments>();
  command->add_option("reference", arguments->reference_file, "REFERENCE.yaml")->required();
  command->add_option("--output", arguments->output_file,
                      "file to write; standard output if absent");
  command->callback([arguments] { import_config(*arguments); });
}

}  // namespace vllama::tools
