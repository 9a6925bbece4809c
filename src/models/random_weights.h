// Random base weights of any size, in the layouts of the published files: to try, test and time
// runs with.
#pragma once

#include <filesystem>
#include <optional>

#include "language/llama_config.h"
#include "models/branch_config.h"

namespace vllama::models {

// The language model's sizes, apart from its vocabulary, which is the tokenizer's.
struct LanguageSizes {
  std::int64_t width = 128;
  std::int64_t mlp_width = 344;
  std::int64_t num_layers = 3;
  std::int64_t num_heads = 4;
  std::int64_t head_width = 0;
  std::int64_t max_positions = 512;

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("width", width, "features per token", positive);
    field("mlp_width", mlp_width, "hidden width of the feed-forward layers", positive);
    field("num_layers", num_layers, "layers", positive);
    field("num_heads", num_heads, "attention heads", positive);
    field("head_width", head_width, "features per head; 0: width / num_heads",
          config::AtLeast<std::int64_t>{0});
    field("max_positions", max_positions, "longest sequence", positive);
  }
};

struct WeightSizes {
  VisionConfig vision;
  LanguageSizes language;
  std::optional<AudioConfig> audio = std::nullopt;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("vision", vision, "vision branch");
    field("language", language, "language model");
    field("audio", audio, "audio branch; without it none of its files is written");
  }
};

// Throws UserError for sizes that do not fit together.
language::LlamaConfig language_config(const LanguageSizes& sizes, std::int64_t vocabulary_size);

// Writes eva_vit_g.pth (fp16), blip2_qformer.pth (fp32) and the folder llama (fp16) below `folder`,
// and with audio sizes imagebind_huge.pth (fp32; of text, depth, heat and motion it holds no
// encoders); in place of the encoders, those of another kind (base_files.h), fp16; with `dtype` all
// of them in that type. The same seed gives the same bytes. Tensors are
// made and written one by one: no more memory is needed than for the largest, once in fp32 and once
// in the type of its file. Throws UserError for sizes that do not fit together.
void write_random_weights(const WeightSizes& sizes, std::int64_t vocabulary_size,
                          std::uint64_t seed, const std::filesystem::path& folder,
                          std::optional<at::ScalarType> dtype = std::nullopt);

}  // namespace vllama::models
