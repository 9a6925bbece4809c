// Which language models are computed here: the values of `model_type`, and the keys of config.json
// that each may have.
#pragma once

#include "language/config_json.h"

namespace vllama::language {

struct LanguageModelType {
  std::string name;
  std::string architecture;         // what transformers calls it
  bool has_query_key_value_biases;  // always, whatever attention_bias says
};

// The type that the file names; LLaMA where it names none. Throws UserError naming a type that is
// not known, or a key that is not known for this type or whose value changes what is computed, and
// what it would change.
const LanguageModelType& language_model_type(const ConfigJson& config);

// The entry of qwen2, or of llama.
const LanguageModelType& language_model_type(bool has_query_key_value_biases);

// Attention that looks back over fewer positions than `max_positions` is not computed here. Throws
// UserError naming the key.
void check_attention_window(const ConfigJson& config, const LanguageModelType& type,
                            std::int64_t max_positions);

}  // namespace vllama::language
