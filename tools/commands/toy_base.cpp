// vllama toy-base: trains the base models of the toy world, one sense each, and measures them.
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>

#include "models/base_files.h"
#include "tools/commands/commands.h"
#include "toy_world/language/language.h"
#include "toy_world/language/language_gate.h"
#include "toy_world/senses/base_models.h"

namespace vllama::tools {
namespace {

constexpr int kFailedGate = 1;

struct ToyBaseArguments {
  std::string folder, sizes_file = "configs/models/toy_sizes.yaml";
  std::uint64_t seed = 1;
  int num_threads = 1;
  double language_length = 1;
  toy::VisionTraining vision;
  toy::ImageTextTraining image_text;
  toy::SoundTraining sound;
};

using Action = std::vector<toy::Gate> (*)(const toy::BaseFiles&, const ToyBaseArguments&);

std::vector<toy::Gate> make_vision(const toy::BaseFiles& files, const ToyBaseArguments& arguments) {
  return toy::make_vision(files, arguments.vision, arguments.seed);
}

std::vector<toy::Gate> make_image_bind(const toy::BaseFiles& files,
                                       const ToyBaseArguments& arguments) {
  return toy::make_image_bind(files, arguments.image_text, arguments.sound, arguments.seed);
}

std::vector<toy::Gate> make_language(const toy::BaseFiles& files,
                                     const ToyBaseArguments& arguments) {
  toy::train_language_model({files.sizes.language, arguments.seed, arguments.language_length},
                            files.folder);
  return toy::language_gates(files.folder, arguments.seed);
}

std::vector<toy::Gate> measure(const toy::BaseFiles& files, const ToyBaseArguments& arguments) {
  std::vector<toy::Gate> gates = toy::measure(files, arguments.seed);
  if (std::filesystem::exists(files.folder / models::kLanguageModelFolder))
    std::ranges::move(toy::language_gates(files.folder, arguments.seed), std::back_inserter(gates));
  return gates;
}

// Prints what the action measured.
int run(Action action, const ToyBaseArguments& arguments) {
  at::set_num_threads(arguments.num_threads);
  const auto sizes = config::read<models::WeightSizes>(config::load_file(arguments.sizes_file));
  const std::vector<toy::Gate> gates = action({sizes, arguments.folder}, arguments);
  std::cout << toy::table(gates);
  return toy::all_passed(gates) ? 0 : kFailedGate;
}

// A subcommand with the options that all have.
CLI::App* add_action(CLI::App& command, const std::string& name, const std::string& description,
                     Action action, const std::shared_ptr<ToyBaseArguments>& arguments,
                     int& exit_status) {
  CLI::App* subcommand = command.add_subcommand(name, description);
  subcommand->add_option("folder", arguments->folder, "where the weight files are")->required();
  subcommand->add_option("--seed", arguments->seed, "names the random numbers")
      ->capture_default_str();
  subcommand->add_option("--sizes", arguments->sizes_file, "SIZES.yaml, as make-weights reads it")
      ->capture_default_str();
  subcommand->add_option("--threads", arguments->num_threads, "cores that compute")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  subcommand->callback(
      [action, arguments, &exit_status] { exit_status = run(action, *arguments); });
  return subcommand;
}

void add_steps(CLI::App* subcommand, const std::string& option, std::int64_t& num_steps,
               const std::string& description) {
  subcommand->add_option(option, num_steps, description)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

}  // namespace

void add_toy_base(CLI::App& program, int& exit_status) {
  CLI::App* command = program.add_subcommand(
      "toy-base",
      "Train the base models of the toy world and measure whether they are good enough to build "
      "on; the exit status is 1 if a gate fails.");
  command->require_subcommand(1);
  command->footer(
      "Example:\n  vllama toy-base vision toy/weights\n"
      "  vllama toy-base image-bind toy/weights\n  vllama toy-base language toy/weights\n"
      "  vllama toy-base gates toy/weights");
  const auto arguments = std::make_shared<ToyBaseArguments>();
  CLI::App* vision = add_action(
      *command, "vision", "Make eva_vit_g.pth and blip2_qformer.pth from pictures with labels.",
      make_vision, arguments, exit_status);
  add_steps(vision, "--steps", arguments->vision.num_steps, "batches of 64 pictures");
  CLI::App* image_bind =
      add_action(*command, "image-bind",
                 "Make imagebind_huge.pth: pictures against captions, beginning with the folder's "
                 "eva_vit_g.pth, then sound against pictures.",
                 make_image_bind, arguments, exit_status);
  add_steps(image_bind, "--steps", arguments->image_text.num_steps,
            "batches of 128 pictures and captions");
  add_steps(image_bind, "--sound-steps", arguments->sound.num_steps,
            "batches of 128 sounds and pictures");
  CLI::App* language = add_action(
      *command, "language",
      "Make the folder llama: a tokenizer, and a language model that reads descriptions in words.",
      make_language, arguments, exit_status);
  language
      ->add_option("--length", arguments->language_length,
                   "of every phase of training, relative to the usual one")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  add_action(*command, "gates", "Measure the files that are there.", measure, arguments,
             exit_status);
}

}  // namespace vllama::tools
