// vllama inspect: lists what a weight file or folder holds.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "tools/commands/commands.h"
#include "train/run/find_step.h"
#include "weights/describe.h"

namespace vllama::tools {
namespace {

// A file with tensors is described itself, whatever it lies in.
std::filesystem::path described_path(const std::filesystem::path& path) {
  std::error_code error;
  const bool is_text = path.extension() == ".json" || path.extension() == ".yaml";
  if (std::filesystem::is_regular_file(path, error) && !is_text) return path;
  return train::find_step(path).value_or(path);
}

}  // namespace

void add_inspect(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "inspect",
      "List names, shapes, types and norms of .pth, .safetensors, model folders, steps.");
  command->footer("Example:\n  vllama inspect ckpt/eva_vit_g.pth");
  struct InspectArguments {
    std::string path;
    bool json = false;
  };
  const auto arguments = std::make_shared<InspectArguments>();
  command
      ->add_option("path", arguments->path,
                   "a weight file; a model folder; a step; a run's folder: its "
                   "newest step; RUN/best")
      ->required();
  command->add_flag("--json", arguments->json, "one JSON object instead of a table");
  command->callback([arguments] {
    using weights::DescriptionFormat;
    std::cout << weights::describe(described_path(arguments->path), arguments->json
                                                                        ? DescriptionFormat::json
                                                                        : DescriptionFormat::text);
  });
}

}  // namespace vllama::tools
