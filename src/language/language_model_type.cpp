#include "language/language_model_type.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/named_rows.h"
#include "weights/config_json.h"
#include "weights/values/readable.h"

namespace vllama::language {
namespace {

using json = nlohmann::json;

std::string type_names() {
  std::vector<std::string> names = names_of_rows(kLanguageModelTypes);
  const std::string last = std::move(names.back());
  names.pop_back();
  return fmt::format("{} and {}", fmt::join(names, ", "), last);
}

// Read elsewhere, for every type.
const std::set<std::string> kReadKeys{"model_type",
                                      "hidden_act",
                                      "vocab_size",
                                      "hidden_size",
                                      "intermediate_size",
                                      "num_hidden_layers",
                                      "num_attention_heads",
                                      "num_key_value_heads",
                                      "head_dim",
                                      "max_position_embeddings",
                                      "max_sequence_length",
                                      "rms_norm_eps",
                                      "rope_theta",
                                      "rope_scaling",
                                      "rope_parameters",
                                      "tie_word_embeddings",
                                      "sliding_window",
                                      "use_sliding_window",
                                      "max_window_layers",
                                      "layer_types"};

// Of no influence on what is computed from a sequence of tokens: names, token ids, how generation
// goes on, how training began, and how transformers lays out its work.
const std::set<std::string> kIdleKeys{
    "_name_or_path", "_model_name_or_path", "name_or_path", "_commit_hash", "architectures",
    "transformers_version", "torch_dtype", "dtype", "use_bfloat16", "tokenizer_class",
    "finetuning_task", "problem_type", "task_specific_params", "id2label", "label2id", "num_labels",
    "prefix", "unsloth_version", "unsloth_fixed", "initializer_range", "pretraining_tp",
    "use_cache", "return_dict", "output_attentions", "output_hidden_states", "torchscript",
    "tf_legacy_loss", "chunk_size_feed_forward", "gradient_checkpointing", "is_decoder",
    "keys_to_ignore_at_inference", "is_llama_config", "transformers.js_config",
    "attn_implementation", "_attn_implementation", "_attn_implementation_autoset",
    "_attn_implementation_internal", "_flash_attn_2_enabled", "_experts_implementation",
    // token ids
    "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "unk_token_id",
    "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id", "suppress_tokens",
    "begin_suppress_tokens", "bad_words_ids",
    // generation
    "max_length", "min_length", "max_new_tokens", "do_sample", "early_stopping", "num_beams",
    "num_beam_groups", "diversity_penalty", "temperature", "top_k", "top_p", "typical_p",
    "repetition_penalty", "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size",
    "num_return_sequences", "output_scores", "return_dict_in_generate", "remove_invalid_values",
    "exponential_decay_length_penalty"};

// Keys that are known to change what is computed: the value that changes nothing, and what another
// one would do. Where the first is null, any value does it.
struct ActingKey {
  json idle;
  std::string effect;
};

const std::map<std::string, ActingKey> kActingKeys{
    {"alibi", {false, "positions would be told by distances"}},
    {"attention_bias", {false, "the attention would have biases"}},
    {"attention_chunk_size", {nullptr, "attention would end at the borders of chunks"}},
    {"attention_dropout", {0, "attention would be dropped at random in training"}},
    {"attention_multiplier", {nullptr, "it would scale the attention"}},
    {"attn_logit_softcapping", {nullptr, "it would cap the attention"}},
    {"auto_map", {nullptr, "program code that comes with the weights would compute the model"}},
    {"add_cross_attention", {false, "layers would look at an encoder"}},
    {"clip_qkv", {nullptr, "it would clip queries, keys and values"}},
    {"cross_attention_hidden_size", {nullptr, "layers would look at an encoder"}},
    {"dim_model_base", {nullptr, "it would scale the logits"}},
    {"embd_pdrop", {0, "embeddings would be dropped at random in training"}},
    {"embedding_multiplier", {1, "it would scale the embeddings"}},
    {"final_logit_softcapping", {nullptr, "it would cap the logits"}},
    {"hidden_dropout", {0, "features would be dropped at random in training"}},
    {"is_encoder_decoder", {false, "there would be an encoder"}},
    {"logit_scale", {1, "it would scale the logits"}},
    {"logits_scaling", {1, "it would scale the logits"}},
    {"mlp_bias", {false, "the feed-forward layers would have biases"}},
    {"no_rope_layers", {nullptr, "some layers would know no positions"}},
    {"num_experts", {0, "each token would choose among feed-forward layers"}},
    {"num_experts_per_tok", {0, "each token would choose among feed-forward layers"}},
    {"num_local_experts", {0, "each token would choose among feed-forward layers"}},
    {"parallel_attn", {false, "attention and feed-forward layers would work side by side"}},
    {"partial_rotary_factor", {1, "only a part of each head would be turned by its position"}},
    {"pruned_heads", {nullptr, "heads would be left out"}},
    {"qk_layernorm", {false, "queries and keys would be normalised"}},
    {"qk_norm", {false, "queries and keys would be normalised"}},
    {"quantization_config", {nullptr, "the matrices would be stored in fewer bits"}},
    {"query_pre_attn_scalar", {nullptr, "it would scale the attention"}},
    {"resid_pdrop", {0, "features would be dropped at random in training"}},
    {"residual_multiplier", {1, "it would scale what each layer adds"}},
    {"rope_condense_ratio", {1, "positions would be divided by it"}},
    {"rope_interleaved", {false, "neighbours within a head would be turned together"}},
    {"rotary_pct", {1, "only a part of each head would be turned by its position"}},
    {"scale_depth", {nullptr, "it would scale what each layer adds"}},
    {"scale_emb", {1, "it would scale the embeddings"}},
    {"tie_encoder_decoder", {false, "there would be an encoder"}},
    {"use_parallel_residual", {false, "attention and feed-forward layers would work side by side"}},
    {"use_qk_norm", {false, "queries and keys would be normalised"}},
};

bool is_empty(const json& value) {
  return value.is_null() || ((value.is_array() || value.is_object()) && value.empty());
}

// LLaMA's own biases are read.
bool is_read(const std::string& key, const LanguageModelType& type) {
  return kReadKeys.contains(key) || (key == "attention_bias" && type.name == "llama");
}

void check_key(const weights::ConfigJson& config, const LanguageModelType& type,
               const std::string& key, const json& value) {
  if (is_empty(value) || is_read(key, type) || kIdleKeys.contains(key)) return;
  const auto acting = kActingKeys.find(key);
  if (acting == kActingKeys.end())
    config.fail(key, fmt::format("is {}: this key is not known for the model_type '{}', and may "
                                 "change what the model computes; if it does not, remove it",
                                 weights::shown(value), type.name));
  if (value != acting->second.idle)
    config.fail(key, fmt::format("is {}: {}, which is not computed here", weights::shown(value),
                                 acting->second.effect));
}

// Old files say it by their class alone.
const LanguageModelType& type_by_architecture(const weights::ConfigJson& config) {
  if (!config.has("architectures")) return kLanguageModelTypes[0];
  const json& names = config.object().at("architectures");
  const std::string name =
      names.is_array() && !names.empty() && names[0].is_string() ? names[0].get<std::string>() : "";
  if (name.empty() || name == "LLaMAForCausalLM") return kLanguageModelTypes[0];
  const auto found = std::ranges::find(kLanguageModelTypes, name, &LanguageModelType::architecture);
  if (found == std::end(kLanguageModelTypes))
    config.fail("architectures",
                fmt::format("names '{}', and there is no model_type: language models of the types "
                            "{} are computed here",
                            weights::readable(name), type_names()));
  return *found;
}

const LanguageModelType& named_type(const weights::ConfigJson& config) {
  if (!config.has("model_type")) return type_by_architecture(config);
  const std::string name = config.text("model_type", "");
  if (const LanguageModelType* found = row_named(kLanguageModelTypes, name)) return *found;
  const OtherLanguageModelType* other = row_named(kOtherLanguageModelTypes, name);
  config.fail("model_type",
              fmt::format("is '{}'{}; language models of the types {} are computed here",
                          weights::readable(name),
                          other == nullptr ? std::string(", which is not known")
                                           : fmt::format(": {}", other->difference),
                          type_names()));
}

}  // namespace

const LanguageModelType& language_model_type(const weights::ConfigJson& config) {
  const LanguageModelType& type = named_type(config);
  for (const auto& [key, value] : config.object().items()) check_key(config, type, key, value);
  return type;
}

void check_attention_window(const weights::ConfigJson& config, const LanguageModelType& type,
                            std::int64_t max_positions) {
  constexpr std::int64_t kDefaultWindow = 4096;  // of transformers, where the key is absent
  const bool is_in_use = type.has_window_switch
                             ? config.flag("use_sliding_window")
                             : type.name == "mistral" || config.has("sliding_window");
  const bool is_off = config.object().contains("sliding_window") && !config.has("sliding_window");
  if (is_in_use && !is_off) {
    const std::int64_t window = config.positive("sliding_window", kDefaultWindow);
    if (window < max_positions)
      config.fail("sliding_window",
                  fmt::format("is {}: attention would look back over so many positions only, which "
                              "is not computed here; for sequences that are no longer, lower "
                              "max_position_embeddings (now {}) to it",
                              window, max_positions));
    return;
  }
  if (!config.has("layer_types")) return;
  const json& layers = config.object().at("layer_types");
  if (!layers.is_array()) config.fail("layer_types", "must be a list");
  for (const json& layer : layers)
    if (layer != "full_attention")
      config.fail("layer_types", fmt::format("names {}: only full_attention is computed here",
                                             weights::shown(layer)));
}

}  // namespace vllama::language
