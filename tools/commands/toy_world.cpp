// vllama toy-world: writes a world of moving shapes and sounds, small enough to learn in minutes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <thread>

#include "core/error.h"
#include "output/number_text.h"
#include "tools/commands/commands.h"
#include "toy_world/files/write_world.h"
#include "train/check/count_bar.h"
#include "train/run/folder_lock.h"

namespace vllama::tools {
namespace {

struct ToyWorldArguments {
  std::string folder;
  toy::WorldConfig config;
  std::int64_t seed = 1;
  int num_workers = static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, 64U));
};

std::string default_of(std::int64_t number) {
  return fmt::format("N [{}]", number);
}

void write(const ToyWorldArguments& arguments) {
  toy::check_sizes(arguments.config);
  const train::FolderLock lock(arguments.folder);
  const train::ProgressOutput output = train::standard_error();
  const double begin_seconds = output.clock_seconds();
  std::optional<train::CountBar> bar;
  const auto written = toy::write_world(arguments.folder, arguments.config, arguments.num_workers,
                                        [&](std::int64_t, std::int64_t num_files) {
                                          if (!bar) bar.emplace("files", num_files, output);
                                          bar->advance();
                                        });
  bar.reset();
  std::cout << fmt::format("wrote {} files to {} in {}",
                           output::grouped_digits(static_cast<std::int64_t>(written.num_written)),
                           arguments.folder,
                           output::duration_text(output.clock_seconds() - begin_seconds));
  if (written.num_found > 0)
    std::cout << fmt::format("; {} were there",
                             output::grouped_digits(static_cast<std::int64_t>(written.num_found)));
  std::cout << "\n";
}

}  // namespace

void add_toy_world(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "toy-world",
      "Write a world of moving shapes and sounds with annotations in the published formats.");
  command->footer(
      "Example:\n  vllama toy-world /tmp/world --seed 1 --videos 3000\n\n"
      "The same options give the same files. A call that was interrupted goes on where it\n"
      "stopped. What is in the folder is described in docs/toy_world.md.");
  const auto arguments = std::make_shared<ToyWorldArguments>();
  toy::WorldConfig& config = arguments->config;
  command->add_option("folder", arguments->folder, "DIR: where to write")->required();
  command->add_option("--seed", arguments->seed, "names the world")
      ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()))
      ->option_text(default_of(arguments->seed));
  const auto add_size = [&](const std::string& name, std::int64_t& number,
                            const std::string& what) {
    command->add_option(name, number, what)->option_text(default_of(number));
  };
  add_size("--videos", config.num_videos, "clips for training");
  add_size("--images", config.num_images, "pictures for training");
  add_size("--test", config.num_test, "clips of each of two tests, and sounds of a third");
  add_size("--sounds", config.num_sounds, "sounds for training; 0: none");
  add_size("--movers", config.num_movers, "clips of single moving shapes for training; 0: none");
  add_size("--long", config.num_long, "test clips of each of 8, 16, 32 and 64 seconds; 0: none");
  command->add_option("--workers", arguments->num_workers, "threads; no effect on the files")
      ->check(CLI::Range(1, 1024))
      ->option_text(default_of(arguments->num_workers));
  command->callback([arguments] {
    arguments->config.seed = static_cast<std::uint64_t>(arguments->seed);
    write(*arguments);
  });
}

}  // namespace vllama::tools
