// vllama inspect: lists what a weight file or folder holds.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "checkpoint/describe.h"
#include "tools/commands/commands.h"

namespace vllama::tools {

void add_inspect(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "inspect",
      "List names, shapes, types and norms of .pth, .safetensors, model folders, steps.");
  command->footer("Example:\n  vllama inspect ckpt/eva_vit_g.pth");
  struct Arguments {
    std::string path;
    bool json = false;
  };
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("path", arguments->path, "file or folder")->required();
  command->add_flag("--json", arguments->json, "one JSON object instead of a table");
  command->callback([arguments] {
    using checkpoint::DescriptionFormat;
    std::cout << checkpoint::describe(
        arguments->path, arguments->json ? DescriptionFormat::json : DescriptionFormat::text);
  });
}

}  // namespace vllama::tools
