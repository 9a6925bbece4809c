#include "models/llama_config.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/json_depth.h"

namespace vllama::models {
namespace {

using Json = nlohmann::json;

// Reads keys of one JSON object, with the file's name in every message.
class ConfigReader {
 public:
  ConfigReader(Json object, std::string file)
      : object_(std::move(object)), file_(std::move(file)) {}

  [[noreturn]] void fail(const std::string& key, const std::string& problem) const {
    throw UserError(fmt::format("{}: '{}' {}", file_, key, problem));
  }

  bool has(const std::string& key) const {
    return object_.contains(key) && !object_.at(key).is_null();
  }

  std::int64_t positive(const std::string& key) const {
    if (!has(key)) fail(key, "is missing");
    const Json& value = object_.at(key);
    if (!value.is_number_integer() || value.get<std::int64_t>() < 1 ||
        value.get<std::int64_t>() > (std::int64_t{1} << 31))
      fail(key, "must be a positive whole number");
    return value.get<std::int64_t>();
  }
  std::int64_t positive(const std::string& key, std::int64_t absent) const {
    return has(key) ? positive(key) : absent;
  }

  double number(const std::string& key, double absent) const {
    if (!has(key)) return absent;
    if (!object_.at(key).is_number() || object_.at(key).get<double>() <= 0)
      fail(key, "must be a positive number");
    return object_.at(key).get<double>();
  }

  bool flag(const std::string& key) const {
    if (!has(key)) return false;
    if (!object_.at(key).is_boolean()) fail(key, "must be true or false");
    return object_.at(key).get<bool>();
  }

  std::string text(const std::string& key, const std::string& absent) const {
    if (!has(key)) return absent;
    if (!object_.at(key).is_string()) fail(key, "must be text");
    return object_.at(key).get<std::string>();
  }

  ConfigReader section(const std::string& key) const {
    if (!object_.at(key).is_object()) fail(key, "must be a map");
    return {object_.at(key), file_};
  }

 private:
  Json object_;
  std::string file_;
};

nn::RotaryScaling read_scaling(const ConfigReader& config) {
  nn::RotaryScaling scaling;
  if (!config.has("rope_scaling")) return scaling;
  const ConfigReader section = config.section("rope_scaling");
  const std::string type = section.text("rope_type", section.text("type", "default"));
  if (type == "default") return scaling;
  scaling.factor = section.number("factor", 1);
  if (type == "linear") {
    scaling.kind = nn::RotaryScaling::Kind::linear;
  } else if (type == "llama3") {
    scaling.kind = nn::RotaryScaling::Kind::llama3;
    scaling.low_frequency_factor = section.number("low_freq_factor", 1);
    scaling.high_frequency_factor = section.number("high_freq_factor", 4);
    scaling.original_positions = section.positive("original_max_position_embeddings");
  } else {
    config.fail("rope_scaling", "has the type '" + type + "'; supported: default, linear, llama3");
  }
  return scaling;
}

Json scaling_object(const nn::RotaryScaling& scaling) {
  if (scaling.kind == nn::RotaryScaling::Kind::linear)
    return {{"rope_type", "linear"}, {"factor", scaling.factor}};
  return {{"rope_type", "llama3"},
          {"factor", scaling.factor},
          {"low_freq_factor", scaling.low_frequency_factor},
          {"high_freq_factor", scaling.high_frequency_factor},
          {"original_max_position_embeddings", scaling.original_positions}};
}

Json parse(const std::filesystem::path& path) {
  const std::string text = read_file(path);
  if (is_nested_too_deep(text))
    throw UserError(fmt::format("{}: nested more than {} deep", path.string(), kMaxJsonDepth));
  const Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) throw UserError(path.string() + ": not a JSON object");
  return object;
}

}  // namespace

LlamaConfig read_llama_config(const std::filesystem::path& config_json) {
  const ConfigReader config(parse(config_json), config_json.string());
  const std::string activation = config.text("hidden_act", "silu");
  if (activation != "silu") config.fail("hidden_act", "must be silu, not '" + activation + "'");
  if (config.flag("mlp_bias")) config.fail("mlp_bias", "must be false: not supported");
  LlamaConfig result;
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
  result.rope_base = config.number("rope_theta", 10000);
  result.rope_scaling = read_scaling(config);
  result.tied_embeddings = config.flag("tie_word_embeddings");
  result.output_bias = config.flag("attention_bias");
  result.query_key_value_biases =
      result.output_bias || config.text("model_type", "llama") == "qwen2";
  return result;
}

std::string to_config_json(const LlamaConfig& config) {
  // Of the published model types, only qwen2 has biases of q, k and v without one of the output.
  const bool qwen2 = config.query_key_value_biases && !config.output_bias;
  Json object{{"architectures", {qwen2 ? "Qwen2ForCausalLM" : "LlamaForCausalLM"}},
              {"model_type", qwen2 ? "qwen2" : "llama"},
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
              {"torch_dtype", "float16"}};
  if (config.rope_scaling.kind != nn::RotaryScaling::Kind::none)
    object["rope_scaling"] = scaling_object(config.rope_scaling);
  return object.dump(2) + "\n";
}

}  // namespace vllama::models
