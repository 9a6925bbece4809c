// config.json: how positions are written by transformers 4 and 5, which types and keys are known,
// and that every other one is refused by name.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/named_rows.h"
#include "language/llama_config.h"
#include "tests/language/language_folder.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using Catch::Contains;
using Json = nlohmann::json;

namespace {

// The tiny model's config.json without its RoPE keys, with these changes; null removes a key.
class ConfigFile {
 public:
  language::LlamaConfig read(const Json& changes) const {
    Json config = Json::parse(language::to_config_json(test::tiny_llama(50)));
    config.erase("rope_theta");
    for (const auto& [key, value] : changes.items()) config[key] = value;
    write_file_atomically(file_, config.dump());
    return language::read_llama_config(file_);
  }
  void refuses(const Json& changes, const std::string& key, const std::string& word = "") const {
    CAPTURE(changes.dump());
    CHECK_THROWS_AS(read(changes), UserError);
    CHECK_THROWS_WITH(read(changes),
                      Contains("config.json") && Contains("'" + key + "'") && Contains(word));
  }

 private:
  test::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_.path() / "config.json";
};

const Json kLlama3{{"rope_type", "llama3"},
                   {"factor", 8.0},
                   {"low_freq_factor", 1.0},
                   {"high_freq_factor", 4.0},
                   {"original_max_position_embeddings", 64}};

bool same(const language::LlamaConfig& left, const language::LlamaConfig& right) {
  return left == right;
}

Json with(Json object, const std::string& key, const Json& value) {
  object[key] = value;
  return object;
}

}  // namespace

TEST_CASE("config.json: positions of transformers 4 and 5 are the same") {
  const ConfigFile file;
  CHECK(file.read({}).rope_base == 10000);
  const auto theta = file.read({{"rope_theta", 5e5}});
  CHECK(theta.rope_base == 5e5);
  CHECK(same(file.read({{"rope_parameters", {{"rope_theta", 5e5}, {"rope_type", "default"}}}}),
             theta));
  CHECK(
      same(file.read({{"rope_parameters", {{"rope_theta", 5e5}}}, {"dtype", "bfloat16"}}), theta));
  CHECK(same(
      file.read({{"rope_theta", 5e5},
                 {"rope_scaling", nullptr},
                 {"rope_parameters", {{"rope_theta", 500000}, {"partial_rotary_factor", 1.0}}}}),
      theta));

  const auto llama3 = file.read({{"rope_theta", 5e5}, {"rope_scaling", kLlama3}});
  CHECK(llama3.rope_scaling.kind == nn::RotaryScaling::Kind::llama3);
  CHECK(llama3.rope_scaling.original_positions == 64);
  CHECK(same(file.read({{"rope_parameters", with(kLlama3, "rope_theta", 5e5)}}), llama3));
  CHECK(same(file.read({{"rope_theta", 5e5}, {"rope_parameters", kLlama3}}), llama3));
  CHECK(same(
      file.read({{"rope_scaling", kLlama3}, {"rope_parameters", with(kLlama3, "rope_theta", 5e5)}}),
      llama3));

  const auto linear = file.read({{"rope_scaling", {{"type", "linear"}, {"factor", 4}}}});
  CHECK(linear.rope_scaling.factor == 4);
  CHECK(same(file.read({{"rope_parameters",
                         {{"rope_type", "linear"}, {"type", "linear"}, {"factor", 4.0}}}}),
             linear));
}

TEST_CASE("config.json: dynamic positions are the plain ones up to the length of pre-training") {
  const ConfigFile file;
  CHECK(same(file.read({{"rope_scaling", {{"type", "dynamic"}, {"factor", 2.0}}}}), file.read({})));
  const Json parameters{
      {"rope_type", "dynamic"}, {"factor", 2.0}, {"original_max_position_embeddings", 2048}};
  CHECK(same(file.read({{"rope_parameters", parameters}, {"max_position_embeddings", 2048}}),
             file.read({})));
  file.refuses({{"rope_parameters", parameters}, {"max_position_embeddings", 4096}},
               "rope_parameters.original_max_position_embeddings", "2048");
}

TEST_CASE("config.json: positions that are not known, or contradict each other, are refused") {
  const ConfigFile file;
  for (const char* section : {"rope_scaling", "rope_parameters"}) {
    for (const char* type : {"yarn", "longrope", "su", "mrope", "proportional", "ntk"})
      file.refuses({{section, {{"rope_type", type}, {"factor", 2.0}}}}, section, type);
    const std::string in = std::string(section) + ".";
    file.refuses({{section, {{"rope_type", "linear"}, {"factor", 2}, {"attention_factor", 1.1}}}},
                 in + "attention_factor", "1.1");
    file.refuses({{section, with(kLlama3, "beta_fast", 32)}}, in + "beta_fast");
    file.refuses({{section, {{"rope_type", "default"}, {"mrope_section", {8, 12, 12}}}}},
                 in + "mrope_section");
    file.refuses({{section, {{"rope_type", "default"}, {"partial_rotary_factor", 0.5}}}},
                 in + "partial_rotary_factor", "0.5");
    file.refuses({{section, {{"rope_type", "linear"}}}}, in + "factor", "missing");
    for (const char* key : {"low_freq_factor", "original_max_position_embeddings"})
      file.refuses({{section, with(kLlama3, key, nullptr)}}, in + key, "missing");
    file.refuses({{section, with(kLlama3, "high_freq_factor", 1.0)}}, in + "high_freq_factor");
    file.refuses({{section,
                   {{"full_attention", {{"rope_theta", 1e6}, {"rope_type", "default"}}},
                    {"sliding_attention", {{"rope_theta", 1e4}}}}}},
                 in + "full_attention", "layers");
    file.refuses({{section, {{"type", "linear"}, {"rope_type", "llama3"}, {"factor", 2}}}}, section,
                 "linear");
    file.refuses({{section, {{"rope_theta", "1e6"}}}}, in + "rope_theta", "number");
    file.refuses({{"rope_theta", 1e4}, {section, {{"rope_theta", 5e5}}}}, in + "rope_theta",
                 "500000");
    file.refuses({{section, 3}}, section, "map");
  }
  file.refuses({{"rope_scaling", kLlama3}, {"rope_parameters", {{"rope_theta", 1e4}}}},
               "rope_parameters", "rope_scaling");
  file.refuses({{"rope_local_base_freq", 1e4}}, "rope_local_base_freq", "not known");
  file.refuses({{"rope_interleaved", true}}, "rope_interleaved");
  file.refuses({{"rope_condense_ratio", 8}}, "rope_condense_ratio", "divided");
}

TEST_CASE("config.json: the types that are known, with what each means") {
  const ConfigFile file;
  const auto llama = file.read({});
  CHECK(same(file.read({{"model_type", nullptr}}), llama));
  CHECK(same(file.read({{"model_type", nullptr}, {"architectures", {"LLaMAForCausalLM"}}}), llama));
  auto mistral = llama;
  mistral.type = row_named(language::kLanguageModelTypes, "mistral");
  CHECK(same(file.read({{"model_type", "mistral"}, {"sliding_window", nullptr}}), mistral));
  CHECK(same(file.read({{"model_type", "mistral"}, {"sliding_window", 2048}}), mistral));
  CHECK(same(file.read({{"hidden_act", "swish"}}), llama));
  const Json qwen{{"model_type", "qwen2"},
                  {"use_sliding_window", false},
                  {"sliding_window", 64},
                  {"max_window_layers", 1},
                  {"layer_types", {"full_attention", "full_attention"}}};
  CHECK(file.read(qwen).query_key_value_biases);
  CHECK_FALSE(file.read(qwen).output_bias);
  CHECK(file.read({{"model_type", nullptr}, {"architectures", {"Qwen2ForCausalLM"}}})
            .query_key_value_biases);
  CHECK(file.read({{"attention_bias", true}}).output_bias);

  for (const char* type : {"granite", "gemma2", "olmo2", "mixtral", "phi3", "llava", "cohere",
                           "surprise", "LLAMA", ""})
    file.refuses({{"model_type", type}}, "model_type", std::string("'") + type + "'");
  file.refuses({{"model_type", "granite"}}, "model_type", "scaled embeddings");
  file.refuses({{"model_type", 3}}, "model_type", "text");
  file.refuses({{"model_type", nullptr}, {"architectures", {"GemmaForCausalLM"}}}, "architectures",
               "GemmaForCausalLM");
}

TEST_CASE("config.json: attention that looks back over a part of the sequence is refused") {
  const ConfigFile file;
  file.refuses({{"model_type", "mistral"}, {"sliding_window", 8}}, "sliding_window", "2048");
  file.refuses({{"model_type", "mistral"}, {"max_position_embeddings", 32768}}, "sliding_window",
               "4096");
  file.refuses({{"sliding_window", 8}}, "sliding_window");
  file.refuses({{"model_type", "qwen2"}, {"use_sliding_window", true}, {"sliding_window", 64}},
               "sliding_window", "64");
  file.refuses({{"layer_types", {"full_attention", "sliding_attention"}}}, "layer_types",
               "sliding_attention");
  file.refuses({{"attention_chunk_size", 8192}}, "attention_chunk_size", "chunks");
}

TEST_CASE("config.json: a key that changes what is computed is refused, whatever the type") {
  const ConfigFile file;
  for (const char* type : {"llama", "mistral", "qwen2"}) {
    const auto refuses = [&](const std::string& key, const Json& value) {
      file.refuses({{"model_type", type}, {"sliding_window", nullptr}, {key, value}}, key);
    };
    refuses("embedding_multiplier", 12.0);
    refuses("attention_multiplier", 0.0078);
    refuses("residual_multiplier", 0.22);
    refuses("logits_scaling", 8.0);
    refuses("logit_scale", 0.0625);
    refuses("attn_logit_softcapping", 50.0);
    refuses("final_logit_softcapping", 30.0);
    refuses("query_pre_attn_scalar", 256);
    refuses("partial_rotary_factor", 0.75);
    refuses("use_qk_norm", true);
    refuses("qk_layernorm", true);
    refuses("clip_qkv", 8.0);
    refuses("mlp_bias", true);
    refuses("hidden_act", "gelu_pytorch_tanh");
    refuses("num_local_experts", 8);
    refuses("no_rope_layers", {1, 1, 0});
    refuses("attention_dropout", 0.1);
    refuses("pruned_heads", {{"0", {1}}});
    refuses("auto_map", {{"AutoModelForCausalLM", "modeling_x.XForCausalLM"}});
    refuses("a_key_of_tomorrow", 1);
    if (type != std::string("llama")) refuses("attention_bias", true);
    // What these files say about nothing.
    CHECK_NOTHROW(file.read({{"model_type", type},
                             {"sliding_window", nullptr},
                             {"embedding_multiplier", 1.0},
                             {"logit_scale", 1},
                             {"attn_logit_softcapping", nullptr},
                             {"partial_rotary_factor", 1.0},
                             {"mlp_bias", false},
                             {"a_key_of_tomorrow", nullptr},
                             {"pruned_heads", Json::object()}}));
  }
  CHECK_THROWS_WITH(file.read({{"quantization_config", {{"quant_method", "torchao"}}}}),
                    Contains("stored in fewer bits (torchao)"));
}

TEST_CASE("config.json: keys of names, tokens and generation pass") {
  const ConfigFile file;
  CHECK(same(file.read({{"_name_or_path", "x"},
                        {"transformers_version", "5.0.0"},
                        {"initializer_range", 0.02},
                        {"use_cache", true},
                        {"pretraining_tp", 2},
                        {"bos_token_id", 128000},
                        {"eos_token_id", {128001, 128008, 128009}},
                        {"pad_token_id", -1},
                        {"torch_dtype", "bfloat16"},
                        {"dtype", "bfloat16"},
                        {"temperature", 0.6},
                        {"attention_dropout", 0.0},
                        {"rope_interleaved", false},
                        {"is_llama_config", true},
                        {"transformers.js_config", {{"dtype", "q4"}}}}),
             file.read({})));
}

TEST_CASE("config.json: names of a file reach no terminal as they are") {
  const ConfigFile file;
  try {
    file.read({{"model_type", "\x1b[31mred\a"}});
    FAIL("it was read");
  } catch (const UserError& error) {
    CHECK_THAT(error.what(), !Contains("\x1b") && !Contains("\a"));
  }
  try {
    file.read({{"\x1b[31mkey\a", "\x1b[31mvalue"}});
    FAIL("it was read");
  } catch (const UserError& error) {
    CHECK_THAT(error.what(), !Contains("\x1b") && !Contains("\a"));
  }
}
