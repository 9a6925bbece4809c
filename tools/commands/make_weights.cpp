// vllama make-weights: small random weights in the layouts of the published files, to try a run
// with.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "checkpoint/write.h"
#include "core/error.h"
#include "core/files.h"
#include "models/video_llama.h"
#include "text/tokenizer.h"
#include "tools/commands/commands.h"

namespace vllama::tools {
namespace {

// The language model's sizes, apart from its vocabulary, which is the tokenizer's.
struct LanguageSizes {
  std::int64_t width = 128;
  std::int64_t mlp_width = 344;
  std::int64_t num_layers = 3;
  std::int64_t num_heads = 4;
  std::int64_t max_positions = 512;

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("width", width, "features per token", positive);
    field("mlp_width", mlp_width, "hidden width of the feed-forward layers", positive);
    field("num_layers", num_layers, "layers", positive);
    field("num_heads", num_heads, "attention heads", positive);
    field("max_positions", max_positions, "longest sequence", positive);
  }
};

struct WeightsConfig {
  models::VisionConfig vision;
  LanguageSizes language;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("vision", vision, "vision branch");
    field("language", language, "language model");
  }
};

struct Arguments {
  std::string sizes_file, tokenizer_file, folder;
  std::uint64_t seed = 1;
};

checkpoint::NamedTensors converted(const nn::ParameterList& parameters, at::ScalarType dtype) {
  checkpoint::NamedTensors tensors;
  for (const nn::Parameter& parameter : parameters)
    tensors[parameter.name] = parameter.tensor->to(dtype);
  return tensors;
}

models::LlamaConfig language_config(const LanguageSizes& sizes, std::int64_t vocabulary_size) {
  if (sizes.width % (2 * sizes.num_heads) != 0)
    throw UserError("language.width must be an even multiple of language.num_heads");
  return {.vocabulary_size = vocabulary_size,
          .width = sizes.width,
          .mlp_width = sizes.mlp_width,
          .num_layers = sizes.num_layers,
          .num_heads = sizes.num_heads,
          .num_key_value_heads = sizes.num_heads,
          .head_width = sizes.width / sizes.num_heads,
          .max_positions = sizes.max_positions};
}

void make_weights(const Arguments& arguments) {
  const auto sizes = config::read<WeightsConfig>(config::load_file(arguments.sizes_file));
  const text::Tokenizer tokenizer(arguments.tokenizer_file);
  const auto llama_config = language_config(sizes.language, tokenizer.size());
  models::VisionBranch vision(sizes.vision, llama_config.width);
  models::Llama llama(llama_config);
  nn::ParameterList encoder, q_former, language;
  vision.declare_encoder(encoder);
  vision.declare_image_q_former(q_former);
  llama.declare(language);
  for (const auto* list : {&encoder, &q_former, &language}) nn::initialize(*list, arguments.seed);

  const std::filesystem::path folder = arguments.folder;
  std::filesystem::create_directories(folder);
  checkpoint::write_pth(folder / "eva_vit_g.pth",
                        checkpoint::to_map(converted(encoder, at::kHalf)));
  checkpoint::Map blip2;
  blip2.set("model", checkpoint::to_map(converted(q_former, at::kFloat)));
  checkpoint::write_pth(folder / "blip2_qformer.pth", blip2);
  checkpoint::write_hf_folder(folder / "llama", models::to_config_json(llama_config),
                              converted(language, at::kHalf));
  write_file_atomically(folder / "llama/tokenizer.model", read_file(arguments.tokenizer_file));
  std::cout << "wrote eva_vit_g.pth, blip2_qformer.pth and llama/ to " << folder.string() << "\n";
}

}  // namespace

void add_make_weights(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "make-weights", "Write random base weights of any size in the published file layouts.");
  command->footer(
      "Example:\n  vllama make-weights configs/models/demo.yaml demo/weights "
      "--tokenizer llama/tokenizer.model\n\nKeys of SIZES.yaml:\n" +
      config::help<WeightsConfig>());
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("sizes", arguments->sizes_file, "SIZES.yaml")->required();
  command->add_option("folder", arguments->folder, "where to write")->required();
  command->add_option("--tokenizer", arguments->tokenizer_file, "tokenizer.model to copy")
      ->required();
  command->add_option("--seed", arguments->seed, "names the random numbers")->capture_default_str();
  command->callback([arguments] { make_weights(*arguments); });
}

}  // namespace vllama::tools
