// vllama make-weights: random weights in the layouts of the published files, to try a run
// with.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>

#include "core/files.h"
#include "models/random_weights.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "tools/commands/commands.h"

namespace vllama::tools {
namespace {

struct MakeWeightsArguments {
  std::string sizes_file, tokenizer_file, folder;
  std::uint64_t seed = 1;
  std::optional<at::ScalarType> type;
};

const std::map<std::string, at::ScalarType> kTypes{
    {"fp16", at::kHalf}, {"bf16", at::kBFloat16}, {"fp32", at::kFloat}};

void make_weights(const MakeWeightsArguments& arguments) {
  const auto sizes = config::read<models::WeightSizes>(config::load_file(arguments.sizes_file));
  const text::SentencePieceTokenizer tokenizer(arguments.tokenizer_file);
  const std::filesystem::path folder = arguments.folder;
  models::write_random_weights(sizes, tokenizer.size(), arguments.seed, folder, arguments.type);
  write_file_atomically(folder / "llama/tokenizer.model", read_file(arguments.tokenizer_file));
  std::cout << "wrote eva_vit_g.pth, blip2_qformer.pth"
            << (sizes.audio ? ", imagebind_huge.pth" : "") << " and llama/ to " << folder.string()
            << "\n";
}

}  // namespace

void add_make_weights(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "make-weights", "Write random base weights of any size in the published file layouts.");
  command->footer(
      "Example:\n  vllama make-weights configs/models/demo_sizes.yaml demo/weights "
      "--tokenizer llama/tokenizer.model\n\nKeys of SIZES.yaml:\n" +
      config::help<models::WeightSizes>());
  const auto arguments = std::make_shared<MakeWeightsArguments>();
  command->add_option("sizes", arguments->sizes_file, "SIZES.yaml")->required();
  command->add_option("folder", arguments->folder, "where to write")->required();
  command->add_option("--tokenizer", arguments->tokenizer_file, "tokenizer.model to copy")
      ->required();
  command->add_option("--seed", arguments->seed, "names the random numbers")->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--type", [arguments](const std::string& name) { arguments->type = kTypes.at(name); },
          "number format of all files: fp16, bf16 or fp32; default: that of the published ones")
      ->check(CLI::IsMember(kTypes))
      ->option_text("NAME");
  command->callback([arguments] { make_weights(*arguments); });
}

}  // namespace vllama::tools
