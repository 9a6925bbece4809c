#include "weights/folder_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

#include "core/files.h"
#include "core/json_depth.h"
#include "weights/values/readable.h"

namespace vllama::weights {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::json;

constexpr const char* kAdapterAdvice =
    "a PEFT adapter, not a model: merge it into its base model{} with PEFT's merge_and_unload(), "
    "save that, and name the merged folder; adapters that vllama trained are named by their step "
    "or "
    "run under model.weights.saved_step";
constexpr const char* kQuantisedAdvice =
    "a model whose matrices are stored in fewer bits ({}): it cannot be trained from; name the "
    "folder of the original weights in fp16, bf16 or fp32";
constexpr const char* kMetaAdvice =
    "weights in Meta's own layout (consolidated.00.pth): convert them with transformers' "
    "convert_llama_weights_to_hf.py and name the folder that it makes";

// Names of the files directly in the folder, in order.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

// The first name that the expression matches; empty if there is none.
std::string first_match(const std::vector<std::string>& names, const char* expression) {
  const std::regex pattern(expression);
  const auto found = std::ranges::find_if(
      names, [&](const std::string& name) { return std::regex_match(name, pattern); });
  return found == names.end() ? std::string() : *found;
}

// Null unless the file is there and holds an object.
json object_in(const fs::path& file) {
  constexpr std::uintmax_t kMaxBytes = std::uintmax_t{16} << 20;
  std::error_code error;
  if (!fs::is_regular_file(file, error) || fs::file_size(file, error) > kMaxBytes) return nullptr;
  const std::string text = read_file(file);
  if (is_nested_too_deep(text)) return nullptr;
  json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  return object.is_object() ? object : json();
}

std::string text_at(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? readable(found->get<std::string>())
                                                     : std::string();
}

std::string adapter_text(const json& config) {
  const std::string base = text_at(config, "base_model_name_or_path");
  return fmt::format(kAdapterAdvice, base.empty() ? std::string() : fmt::format(" '{}'", base));
}

// The method that config.json names, or the files of older programs tell; empty if the matrices are
// whole.
std::string quantisation(const fs::path& folder) {
  const json config = object_in(folder / "config.json");
  if (config.is_object() && config.contains("quantization_config") &&
      config["quantization_config"].is_object() && !config["quantization_config"].empty()) {
    const json& settings = config["quantization_config"];
    const std::string method = text_at(settings, "quant_method");
    return !method.empty()                     ? method
           : settings.contains("load_in_4bit") ? "bitsandbytes"
                                               : "unknown";
  }
  if (!object_in(folder / "quantize_config.json").is_null()) return "GPTQ";
  if (!object_in(folder / "quant_config.json").is_null()) return "AWQ";
  return {};
}

// Of a folder without weights that are read here.
std::string foreign_files(const std::vector<std::string>& names) {
  const auto has = [&](const char* expression) { return !first_match(names, expression).empty(); };
  if (has(R"(consolidated(\.\d+)?\.(pth|safetensors))")) return kMetaAdvice;
  if (const std::string file = first_match(names, R"(.*\.(gguf|ggml|ggmlv3\.[^.]*\.bin))");
      !file.empty())
    return fmt::format(
        "weights for llama.cpp ('{}'), mostly in fewer bits: name the folder of the original "
        "weights, as .safetensors or .bin",
        readable(file));
  if (const std::string file = first_match(
          names,
          R"(tf_model.*\.h5|flax_model.*\.msgpack.*|.*\.onnx|saved_model\.pb|model\.ckpt.*|rust_model\.ot|.*\.tflite|.*\.nemo)");
      !file.empty())
    return fmt::format(
        "weights for another program ('{}'): load them with transformers (from_tf or from_flax) "
        "and "
        "save them with save_pretrained(), or download the PyTorch files",
        readable(file));
  if (has(R"(zero_to_fp32\.py|global_step\d+|.*\.distcp|zero_pp_rank_.*|mp_rank_.*)"))
    return "a training state in parts of several ranks: join it first (zero_to_fp32.py of "
           "DeepSpeed, "
           "or torch.distributed.checkpoint.format_utils dcp_to_torch), and name the folder that "
           "this makes";
  if (const std::string shard =
          first_match(names, R"((pytorch_model|model)-\d+-of-\d+\.(bin|safetensors))");
      !shard.empty())
    return fmt::format(
        "shards ('{}', ...) without their index: download {}.index.json, which lists what is where",
        readable(shard), shard.ends_with(".bin") ? "pytorch_model.bin" : "model.safetensors");
  return {};
}

}  // namespace

bool holds_hf_weights(const fs::path& folder) {
  std::error_code error;
  return std::ranges::any_of(
      std::initializer_list<const char*>{"model.safetensors", "model.safetensors.index.json",
                                         "pytorch_model.bin", "pytorch_model.bin.index.json"},
      [&](const char* name) { return fs::exists(folder / name, error); });
}

std::string foreign_folder(const fs::path& folder) {
  if (const std::string method = quantisation(folder); !method.empty())
    return fmt::format(kQuantisedAdvice, method);
  if (holds_hf_weights(folder)) return {};
  const std::vector<std::string> names = names_in(folder);
  if (!first_match(names, R"(adapter_config\.json|adapter_model\..*)").empty())
    return adapter_text(object_in(folder / "adapter_config.json"));
  return foreign_files(names);
}

std::string foreign_names(const std::vector<std::string>& names) {
  const auto has = [&](std::initializer_list<std::string_view> endings) {
    return std::ranges::any_of(names, [&](const std::string& name) {
      return std::ranges::any_of(endings,
                                 [&](std::string_view ending) { return name.ends_with(ending); });
    });
  };
  const auto holds = [&](const char* name) {
    return std::ranges::find(names, name) != names.end();
  };
  if (has({".qweight", ".qzeros"})) return fmt::format(kQuantisedAdvice, "GPTQ or AWQ");
  if (has({".absmax", ".quant_map", ".SCB"})) return fmt::format(kQuantisedAdvice, "bitsandbytes");
  if (has({".weight_scale", ".weight_scale_inv", ".weight_packed", ".input_scale"}))
    return fmt::format(kQuantisedAdvice, "fp8 or packed");
  // Adapters of our own have "llama_model." or "encoders." in front.
  const bool is_adapter = std::ranges::any_of(names, [](const std::string& name) {
    const bool is_part = name.find(".lora_A.") != std::string::npos ||
                         name.find(".lora_B.") != std::string::npos ||
                         name.find(".lora_embedding_A") != std::string::npos;
    return is_part && !name.starts_with("llama_model.") && !name.starts_with("encoders.");
  });
  if (is_adapter) return fmt::format(kAdapterAdvice, "");
  if (holds("tok_embeddings.weight") && holds("layers.0.attention.wq.weight")) return kMetaAdvice;
  return {};
}

}  // namespace vllama::weights
