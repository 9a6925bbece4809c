// Seeds of weight files, tokenizers and saved steps, made by our own writers and taken from the
// recorded files.
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>

#include "checkpoint/manifest.h"
#include "core/files.h"
#include "text/tokenizers/train_tokenizer.h"
#include "tools/fuzz/seeds/seeds.h"
#include "weights/pth/zip_reader.h"
#include "weights/values/byte_order.h"
#include "weights/write.h"

namespace vllama::fuzz {
namespace {

namespace fs = std::filesystem;
using namespace weights;

NamedTensors some_tensors() {
  return {{"llama_proj.weight", at::arange(6).view({2, 3}).to(at::kFloat)},
          {"llama_proj.bias", at::ones({3}, at::kHalf)},
          {"steps", at::ones({}, at::kLong)},
          {"nothing", at::ones({0, 4})}};
}

Value nested_value() {
  Map model = to_map(some_tensors());
  Map config;
  config.set("learning_rate", 1e-4);
  config.set("paths", List{"a", "b", Tuple{{1, true, Value()}}});
  config.set(std::int64_t{7}, "seven");
  Map all;
  all.set("model", std::move(model));
  all.set("config", std::move(config));
  all.set("epoch", 3);
  return all;
}

void add_pth(Seeds& seeds, const fs::path& scratch) {
  write_pth(scratch / "nested.pth", nested_value());
  for (const fs::path& path :
       {scratch / "nested.pth", fs::path("tests/golden/checkpoint/samples.pth"),
        fs::path("tests/golden/checkpoint/samples_legacy.pth")}) {
    const std::string bytes = read_file(path);
    seeds.add("pth", bytes);
    if (path.filename() == "samples_legacy.pth") {
      // The magic number, the protocol and the machine stand in front of the pickle that matters.
      const std::size_t begin = bytes.find("\x80\x02}q\x00(X", 60, 6);
      seeds.add("pickle", begin == std::string::npos ? bytes : bytes.substr(begin));
      continue;
    }
    for (const ZipMember& member : read_zip_directory(std::as_bytes(std::span(bytes)), "seed"))
      if (member.name.ends_with("data.pkl"))
        seeds.add("pickle", bytes.substr(member.offset, member.num_bytes));
  }
}

void add_safetensors(Seeds& seeds, const fs::path& scratch) {
  write_safetensors(scratch / "a.safetensors", some_tensors());
  seeds.add("safetensors", read_file(scratch / "a.safetensors"));
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]},)"
      R"("b":{"dtype":"BOOL","shape":[3],"data_offsets":[4,7]}})";
  std::string bytes;
  append_number<std::uint64_t>(bytes, header.size());
  seeds.add("safetensors", bytes + header + "1234abc");
}

void add_hf_folder(Seeds& seeds) {
  const std::string index = R"({"metadata": {"total_size": 64}, "weight_map": {
      "one": "a.safetensors", "two": "a.safetensors", "three": "b.safetensors", "four": "c.bin"}})";
  const std::string config = R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama",
      "hidden_act": "silu", "vocab_size": 32000, "hidden_size": 64, "intermediate_size": 172,
      "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
      "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
      "tie_word_embeddings": false, "attention_bias": false})";
  const std::string scaled = R"({"model_type": "qwen2", "vocab_size": 10, "hidden_size": 64,
      "intermediate_size": 5, "num_hidden_layers": 1, "num_attention_heads": 2, "rms_norm_eps": 1e-6,
      "max_position_embeddings": 8, "use_sliding_window": false, "layer_types": ["full_attention"],
      "rope_scaling": {"rope_type": "llama3", "factor": 8.0,
      "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 8192}})";
  const std::string parameters = R"({"architectures": ["MistralForCausalLM"], "vocab_size": 10,
      "hidden_size": 64, "intermediate_size": 5, "num_hidden_layers": 1, "num_attention_heads": 2,
      "rms_norm_eps": 1e-6, "max_sequence_length": 8, "sliding_window": null,
      "quantization_config": {}, "rope_parameters": {"rope_type": "linear", "type": "linear",
      "factor": 2, "rope_theta": 500000}})";
  seeds.add("hf_folder", joined(index, config));
  seeds.add("hf_folder", joined(index, scaled));
  seeds.add("hf_folder", joined(index, parameters));
  seeds.add("hf_folder", joined(R"({"weight_map": {"one": "../a.safetensors"}})", scaled));
}

void add_tokenizer(Seeds& seeds, const fs::path& scratch) {
  const std::vector<std::string> texts = {"a red circle moves to the left", "two blue squares"};
  text::train_tokenizer(texts, 280, scratch / "tokenizer.model");
  seeds.add("tokenizer", read_file(scratch / "tokenizer.model"));
  for (const char* kind : {"digits", "llama3", "qwen2"})
    seeds.add("byte_level",
              read_file(fs::path("tests/golden/text/byte_level") / kind / "tokenizer.json"));
  for (const char* kind : {"always", "first"})
    seeds.add("byte_level",
              read_file(fs::path("tests/golden/text/sentencepiece") / kind / "tokenizer.json"));
}

void add_step(Seeds& seeds, const fs::path& scratch) {
  write_safetensors(scratch / "trainable.safetensors", some_tensors());
  const std::string tensors = read_file(scratch / "trainable.safetensors");
  const std::string state = R"({"step": 12, "num_samples": 96, "num_dropped": 1, "samples": 96,
      "dropped": 1, "metric_sums": {"loss": {"sum": 25.5, "steps": 12}},
      "metrics": {"loss": 2.1}, "skipped_in_a_row": 0, "recent_losses": {"webvid": [2.5, 2.4]}})";
  for (const std::size_t wrong : {0, 1, 2, 3, 4})
    seeds.add("step_folder", wrong, joined(state, "seed: 42\noutput_dir: runs/a\n", tensors));
  const checkpoint::Manifest manifest{
      12, {{"state.json", {17, 5}}, {"trainable.safetensors", {400, 99}}}};
  const std::string text = checkpoint::manifest_text(manifest);
  seeds.add("manifest", text);
  seeds.add("manifest", text.substr(0, text.rfind("  \"crc32\"")));
}

}  // namespace

void add_weight_seeds(Seeds& seeds, const fs::path& scratch) {
  add_pth(seeds, scratch);
  add_safetensors(seeds, scratch);
  add_hf_folder(seeds);
  add_tokenizer(seeds, scratch);
  add_step(seeds, scratch);
}

}  // namespace vllama::fuzz
