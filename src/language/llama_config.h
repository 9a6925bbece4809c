// The sizes of a LLaMA-family model, read from the config.json beside its weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "language/language_model_type.h"
#include "nn/rotary.h"

namespace vllama::language {

struct LlamaConfig {
  std::int64_t vocabulary_size = 32000;
  std::int64_t width = 4096;
  std::int64_t mlp_width = 11008;
  std::int64_t num_layers = 32;
  std::int64_t num_heads = 32;
  std::int64_t num_key_value_heads = 32;
  std::int64_t head_width = 128;
  std::int64_t max_positions = 2048;
  double norm_epsilon = 1e-6;
  double rope_base = 10000;
  nn::RotaryScaling rope_scaling{};
  bool tied_embeddings = false;
  const LanguageModelType* type = &kLanguageModelTypes[0];
  bool query_key_value_biases = false;
  bool output_bias = false;

  bool operator==(const LlamaConfig&) const = default;
};

// Throws UserError naming the file and the key that is missing, malformed or not supported, and for
// every key that may change what the model computes in a way that is not known here
// (language_model_type.h).
LlamaConfig read_llama_config(const std::filesystem::path& config_json);

// The same as the text of a config.json in the published form, for weights of `dtype`.
std::string to_config_json(const LlamaConfig& config, at::ScalarType dtype = at::kHalf);

}  // namespace vllama::language
