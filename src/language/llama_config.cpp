#include "language/llama_config.h"

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "language/language_model_type.h"
#include "language/rope_settings.h"
#include "weights/config_json.h"
#include "weights/folder_kind.h"
#include "weights/values/readable.h"
#include "weights/values/tensors.h"

namespace vllama::language {
namespace {

using json = nlohmann::json;

json scaling_object(const nn::RotaryScaling& scaling) {
  if (scaling.kind == nn::RotaryScaling::Kind::linear)
    return {{"rope_type", "linear"}, {"factor", scaling.factor}};
  return {{"rope_type", "llama3"},
          {"factor", scaling.factor},
          {"low_freq_factor", scaling.low_frequency_factor},
          {"high_freq_factor", scaling.high_frequency_factor},
          {"original_max_position_embeddings", scaling.original_positions}};
}

std::string type_text(at::ScalarType dtype) {
  return std::string(weights::facts_of(weights::element_type(dtype)).name);
}

}  // namespace

LlamaConfig read_llama_config(const std::filesystem::path& config_json) {
  const std::filesystem::path folder = config_json.parent_path();
  if (const std::string foreign = weights::foreign_folder(folder); !foreign.empty())
    throw UserError(folder.string() + ": " + foreign);
  const weights::ConfigJson config(config_json);
  const LanguageModelType& type = language_model_type(config);
  const std::string activation = config.text("hidden_act", "silu");
  if (activation != "silu" && activation != "swish")
    config.fail("hidden_act", "must be silu, not '" + weights::readable(activation) + "'");
  LlamaConfig result;
  result.type = &type;
  result.vocabulary_size = config.positive("vocab_size");
  result.width = config.positive("hidden_size");
  result.mlp_width = config.positive("intermediate_size");
  result.num_layers = config.positive("num_hidden_layers");
  result.num_heads = config.positive("num_attention_heads");
  result.num_key_value_heads = config.positive("num_key_value_heads", result.num_heads);
  if (result.num_heads % result.num_key_value_heads != 0)
    config.fail("num_key_value_heads", "must divide num_attention_heads");
  if (!config.has("head_dim") && result.width % result.num_heads != 0)
    config.fail("hidden_size", "must be a multiple of num_attention_heads");
  result.head_width = config.positive("head_dim", result.width / result.num_heads);
  if (result.head_width % 2 != 0) config.fail("head_dim", "must be even");
  result.max_positions =
      config.positive("max_position_embeddings", config.positive("max_sequence_length", 2048));
  result.norm_epsilon = config.number("rms_norm_eps", 1e-6);
  check_attention_window(config, type, result.max_positions);
  const RopeSettings rope = read_rope_settings(config, result.max_positions);
  result.rope_base = rope.base;
  result.rope_scaling = rope.scaling;
  result.tied_embeddings = config.flag("tie_word_embeddings");
  result.output_bias = config.flag("attention_bias");
  result.query_key_value_biases = result.output_bias || type.has_query_key_value_biases;
  return result;
}

std::string to_config_json(const LlamaConfig& config, at::ScalarType dtype) {
  json object{{"architectures", {config.type->architecture}},
              {"model_type", config.type->name},
              {"hidden_act", "silu"},
              {"vocab_size", config.vocabulary_size},
              {"hidden_size", config.width},
              {"intermediate_size", config.mlp_width},
              {"num_hidden_layers", config.num_layers},
              {"num_attention_heads", config.num_heads},
              {"num_key_value_heads", config.num_key_value_heads},
              {"head_dim", config.head_width},
              {"max_position_embeddings", config.max_positions},
              {"rms_norm_eps", config.norm_epsilon},
              {"rope_theta", config.rope_base},
              {"tie_word_embeddings", config.tied_embeddings},
              {"attention_bias", config.output_bias},
              {"bos_token_id", 1},
              {"eos_token_id", 2},
              {"torch_dtype", type_text(dtype)}};
  if (config.rope_scaling.kind != nn::RotaryScaling::Kind::none)
    object["rope_scaling"] = scaling_object(config.rope_scaling);
  return object.dump(2) + "\n";
}

}  // namespace vllama::language
