#include "tests/inference/generate/tiny_language_model.h"

#include "core/named_rows.h"
#include "core/random.h"
#include "tests/support/fixtures.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"

namespace vllama::test {

language::LlamaConfig plain_language_sizes() {
  return {.width = 64,
          .mlp_width = 172,
          .num_layers = 3,
          .num_heads = 4,
          .num_key_value_heads = 4,
          .head_width = 16,
          .max_positions = 512};
}

language::LlamaConfig grouped_language_sizes() {
  language::LlamaConfig config = plain_language_sizes();
  config.num_key_value_heads = 2;
  config.rope_base = 500000;
  config.rope_scaling = {.kind = nn::RotaryScaling::Kind::llama3,
                         .factor = 8,
                         .low_frequency_factor = 1,
                         .high_frequency_factor = 4,
                         .original_positions = 64};
  config.tied_embeddings = true;
  config.type = row_named(language::kLanguageModelTypes, "qwen2");
  config.query_key_value_biases = true;
  return config;
}

language::LlamaConfig normed_language_sizes() {
  language::LlamaConfig config = plain_language_sizes();
  config.num_key_value_heads = 2;
  config.type = row_named(language::kLanguageModelTypes, "qwen3");
  return config;
}

TinyLanguageModel::TinyLanguageModel(const language::LlamaConfig& config, at::ScalarType dtype,
                                     std::uint64_t seed)
    : model(config) {
  model.declare(parameters);
  nn::initialize(parameters, seed);
  for (const nn::Parameter& parameter : parameters)
    *parameter.tensor = parameter.tensor->detach().to(dtype);
  model.prepare(dtype, at::kCPU);
}

inference::Prompt TinyLanguageModel::prompt(std::int64_t length, std::uint64_t seed) const {
  RandomStream random(random_key({seed}));
  std::vector<std::int64_t> ids{1};
  while (std::ssize(ids) < length)
    ids.push_back(3 + static_cast<std::int64_t>(random.below(31997)));
  return inference::make_prompt(model, {{ids}}, {}, seed);
}

const text::Tokenizer& llama_tokenizer() {
  static const text::SentencePieceTokenizer tokenizer(golden_file("text/llama_tokenizer.model"));
  return tokenizer;
}

}  // namespace vllama::test
