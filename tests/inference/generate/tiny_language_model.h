// Small language models with random weights, and prompts for them.
#pragma once

#include "inference/generate/generator.h"
#include "text/tokenizers/tokenizer.h"

namespace vllama::test {

// 3 layers of width 64, 32000 tokens.
language::LlamaConfig plain_language_sizes();
// Grouped heads, llama3 rope scaling, tied embeddings, biases.
language::LlamaConfig grouped_language_sizes();

// Qwen3: norms of the heads of queries and keys.
language::LlamaConfig normed_language_sizes();

struct TinyLanguageModel {
  language::Llama model;
  nn::ParameterList parameters;

  explicit TinyLanguageModel(const language::LlamaConfig& config = plain_language_sizes(),
                             at::ScalarType dtype = at::kFloat, std::uint64_t seed = 1);

  // BOS and `length` - 1 tokens drawn from the vocabulary.
  inference::Prompt prompt(std::int64_t length, std::uint64_t seed) const;
};

const text::Tokenizer& llama_tokenizer();

}  // namespace vllama::test
