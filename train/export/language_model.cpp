#include "train/export/language_model.h"

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "language/llama_config.h"
#include "models/modules.h"
#include "nn/lora.h"
#include "weights/tensor_source.h"
#include "weights/write.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;
using NamedList = std::vector<std::pair<std::string, at::Tensor>>;

constexpr std::string_view kPrefix = "llama_model.";
constexpr std::string_view kDown = ".lora_A.weight";
constexpr std::string_view kUp = ".lora_B.weight";
constexpr std::uintmax_t kSmallBytes = std::uintmax_t{16} << 20;

// By the name of the matrix in the language model's files.
std::map<std::string, nn::LoraAdapter> adapters_by_matrix(const NamedList& trained,
                                                          const language::LoraConfig& lora) {
  std::map<std::string, at::Tensor> tensors(trained.begin(), trained.end());
  std::map<std::string, nn::LoraAdapter> adapters;
  for (const auto& [name, down_RI] : tensors) {
    if (!is_of_language_adapter(name) || !name.ends_with(kDown)) continue;
    const std::string matrix = name.substr(0, name.size() - kDown.size());
    const at::Tensor up_OR = tensors.at(fmt::format("{}{}", matrix, kUp));
    nn::LoraAdapter adapter(down_RI.size(1), up_OR.size(0), down_RI.size(0), lora.alpha);
    adapter.a_RI = down_RI;
    adapter.b_OR = up_OR;
    adapters.emplace(fmt::format("{}.weight", matrix.substr(kPrefix.size())), std::move(adapter));
  }
  return adapters;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw RunFailure(
        fmt::format("cannot create the folder '{}': {}", folder.string(), error.message()));
}

// Tokenizer and settings: every small file that holds no weights.
void copy_small_files(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    const bool is_text = name.ends_with(".json") || name.ends_with(".model") ||
                         name.ends_with(".jinja") || name == "merges.txt";
    if (!entry.is_regular_file() || !is_text || name.ends_with(".index.json") ||
        entry.file_size() > kSmallBytes)
      continue;
    write_file_atomically(to / name, read_file(entry.path()));
  }
}

}  // namespace

bool is_of_language_adapter(const std::string& name) {
  return models::module_of(name) == models::ModuleName::lora;
}

void write_adapters(const fs::path& folder, const NamedList& trained,
                    const models::ModelConfig& model) {
  weights::NamedTensors tensors;
  for (const auto& [name, tensor] : trained)
    if (is_of_language_adapter(name))
      tensors[fmt::format("base_model.model.{}", name.substr(kPrefix.size()))] = tensor;
  make_folder(folder);
  weights::write_safetensors(folder / "adapter_model.safetensors", tensors);
  const nlohmann::ordered_json config{{"peft_type", "LORA"},
                                      {"task_type", "CAUSAL_LM"},
                                      {"base_model_name_or_path", model.weights.language_model},
                                      {"r", model.lora.rank},
                                      {"lora_alpha", model.lora.alpha},
                                      {"lora_dropout", 0.0},
                                      {"target_modules", model.lora.targets},
                                      {"bias", "none"},
                                      {"fan_in_fan_out", false},
                                      {"inference_mode", true}};
  write_file_atomically(folder / "adapter_config.json", config.dump(2) + "\n");
}

void write_merged(const fs::path& folder, const NamedList& trained,
                  const models::ModelConfig& model) {
  const fs::path base = model.weights.language_model;
  const auto source = weights::open_weights(base);
  const auto adapters = adapters_by_matrix(trained, model.lora);
  weights::NamedTensors tensors;
  for (const weights::TensorFacts& facts : source->tensors())
    tensors[facts.name] = source->read(facts.name);
  // Beside tied embeddings an output matrix would be a second one, which is not used.
  if (language::read_llama_config(base / "config.json").tied_embeddings &&
      tensors.contains("model.embed_tokens.weight"))
    tensors.erase("lm_head.weight");
  for (const auto& [matrix, adapter] : adapters) {
    const auto found = tensors.find(matrix);
    if (found == tensors.end() ||
        found->second.sizes() != at::IntArrayRef({adapter.outputs, adapter.inputs}))
      throw UserError(fmt::format("'{}' has no matrix '{}' of [{}, {}], which an adapter is for",
                                  base.string(), matrix, adapter.outputs, adapter.inputs));
  }
  make_folder(folder);
  weights::HfFolderOptions options;
  options.replacement = [&](const std::string& name, const at::Tensor& tensor) {
    const auto adapter = adapters.find(name);
    return adapter == adapters.end() ? tensor : adapter->second.merged_with(tensor);
  };
  weights::write_hf_folder(folder, read_file(base / "config.json"), tensors, options);
  copy_small_files(base, folder);
}

}  // namespace vllama::train
