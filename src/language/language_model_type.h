// Which language models are computed here: the values of `model_type`, and the keys of config.json
// that each may have.
#pragma once

#include <cstdint>
#include <string_view>

namespace vllama::weights {
class ConfigJson;
}

namespace vllama::language {

struct LanguageModelType {
  std::string_view name;
  std::string_view architecture;            // what transformers calls it
  bool has_query_key_value_biases = false;  // always, whatever attention_bias says
  bool has_query_key_norms = false;         // of each head, before it is rotated
  bool has_window_switch = false;           // a sliding window counts with use_sliding_window alone
};

// Those that are computed here; LLaMA first. A new one is a row, and what it computes otherwise a
// member that llama.cpp asks for.
inline constexpr LanguageModelType kLanguageModelTypes[] = {
    {.name = "llama", .architecture = "LlamaForCausalLM"},
    {.name = "mistral", .architecture = "MistralForCausalLM"},
    {.name = "qwen2",
     .architecture = "Qwen2ForCausalLM",
     .has_query_key_value_biases = true,
     .has_window_switch = true},
    {.name = "qwen3",
     .architecture = "Qwen3ForCausalLM",
     .has_query_key_norms = true,
     .has_window_switch = true},
};

// What others, met often, compute otherwise than these.
struct OtherLanguageModelType {
  std::string_view name, difference;
};
inline constexpr OtherLanguageModelType kOtherLanguageModelTypes[] = {
    {"baichuan", "one matrix for queries, keys and values, and a normalised output layer"},
    {"cohere", "parallel attention and feed-forward layers, and scaled logits"},
    {"gemma", "scaled embeddings, and norms that add one to their weights"},
    {"gemma2", "scaled embeddings, capped logits, attention windows and more norms"},
    {"gemma3", "scaled embeddings, attention windows and more norms"},
    {"gemma3_text", "scaled embeddings, attention windows and more norms"},
    {"granite", "scaled embeddings, attention, residuals and logits"},
    {"internlm2", "one matrix for queries, keys and values"},
    {"llava", "a language model inside of LLaVA: name the folder of that model alone"},
    {"llava_llama", "a language model inside of LLaVA: name the folder of that model alone"},
    {"minicpm", "scaled embeddings, residuals and logits"},
    {"mixtral", "a choice among several feed-forward layers"},
    {"olmo2", "norms behind the layers, and of queries and keys"},
    {"phi3", "joined matrices"},
    {"qwen2_moe", "a choice among several feed-forward layers"},
    {"qwen3_moe", "norms of queries and keys, and a choice among several feed-forward layers"},
    {"smollm3", "layers without positions"},
    {"stablelm", "layer norms with biases, and heads turned in part"},
};

// The type that the file names; LLaMA where it names none. Throws UserError naming a type that is
// not known, or a key that is not known for this type or whose value changes what is computed, and
// what it would change.
const LanguageModelType& language_model_type(const weights::ConfigJson& config);

// Attention that looks back over fewer positions than `max_positions` is not computed here. Throws
// UserError naming the key.
void check_attention_window(const weights::ConfigJson& config, const LanguageModelType& type,
                            std::int64_t max_positions);

}  // namespace vllama::language
