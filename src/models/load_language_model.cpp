#include "models/load_language_model.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mean.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/warn_once.h"
#include "models/weight_names.h"
#include "weights/tensor_shapes.h"

namespace vllama::models {
namespace {

constexpr const char* kTable = "model.embed_tokens.weight";
constexpr const char* kHead = "lm_head.weight";
constexpr const char* kFinalNorm = "model.norm.weight";
constexpr const char* kLayers = "model.layers.";

// Keys of config.json beside what the weights have.
std::string other_sizes(const language::LlamaConfig& config, const weights::TensorShapes& shapes) {
  std::string lines;
  const auto compare = [&](const char* key, std::int64_t said, std::optional<std::int64_t> found) {
    if (found && *found != said)
      lines += fmt::format("\n  {} is {}, but the weights have {}", key, said, *found);
  };
  const std::string layer = std::string(kLayers) + "0.";
  const char* table = shapes.holds(kTable) ? kTable : kHead;
  compare("vocab_size", config.vocabulary_size, shapes.extent(table, 0));
  compare("hidden_size", config.width, shapes.extent(table, 1));
  compare("intermediate_size", config.mlp_width, shapes.extent(layer + "mlp.gate_proj.weight", 0));
  const std::int64_t num_layers = shapes.count_numbered(kLayers);
  if (num_layers > 0) compare("num_hidden_layers", config.num_layers, num_layers);
  if (num_layers > 0 && num_layers < config.num_layers)
    lines += fmt::format(" (no {}{}.mlp.gate_proj.weight)", kLayers, config.num_layers - 1);
  compare("num_attention_heads x head_dim", config.num_heads * config.head_width,
          shapes.extent(layer + "self_attn.q_proj.weight", 0));
  compare("num_key_value_heads x head_dim", config.num_key_value_heads * config.head_width,
          shapes.extent(layer + "self_attn.k_proj.weight", 0));
  if (lines.empty()) return {};
  return "config.json does not belong to these weights:" + lines;
}

// The final norm of a model multiplies with numbers around 1 and more; a difference of two models
// is around 0 everywhere.
bool is_difference(const weights::TensorSource& source) {
  constexpr double kSmallestNorm = 0.1;
  return at::mean(at::abs(source.read(kFinalNorm).to(at::kFloat))).item<double>() < kSmallestNorm;
}

std::string obstacle(const language::LlamaConfig& config, const weights::TensorSource& source) {
  const weights::TensorShapes shapes(source);
  if (shapes.extent(kFinalNorm, 0) && is_difference(source))
    return "a delta, not a model: its numbers are differences to the weights of another model, "
           "such "
           "as those of Vicuna v0 and v1.1 to LLaMA; add it to that model (FastChat's apply_delta) "
           "and name the folder of the sum";
  return other_sizes(config, shapes);
}

// Renames the table where only the output matrix is stored, and warns of one that is another.
void adapt_tied(nn::ParameterList& parameters, const weights::TensorSource& source) {
  const weights::TensorShapes shapes(source);
  if (!shapes.holds(kHead)) return;
  if (!shapes.holds(kTable)) {
    std::ranges::find(parameters, kTable, &nn::Parameter::name)->name = kHead;
    return;
  }
  const at::Tensor head = source.read(kHead), table = source.read(kTable);
  const bool is_same = head.sizes() == table.sizes() && head.scalar_type() == table.scalar_type() &&
                       at::equal(head, table);
  source.release(kHead);
  source.release(kTable);
  if (!is_same)
    log::warn_once(fmt::format(
        "{}: lm_head.weight is another matrix than the embeddings, although config.json says "
        "tie_word_embeddings: it is left out, as transformers does; if it is the right one, set "
        "tie_word_embeddings to false",
        source.tensors().front().file));
}

}  // namespace

WeightReading language_model_reading(language::Llama& model, const std::string& folder,
                                     weights::LoadRules rules) {
  const language::LlamaConfig& config = model.config();
  rules.is_ignorable = [tied = config.tied_embeddings](const std::string& name) {
    return is_unused_language_model_name(name) || (tied && (name == kHead || name == kTable));
  };
  // A tied table is the output matrix as well, which every loss uses whole.
  rules.is_partly_used = [tied = config.tied_embeddings](const std::string& name) {
    return !tied && name == kTable;
  };
  WeightReading reading{"language_model", folder, {}, std::move(rules)};
  reading.obstacle = [config](const auto& source) { return obstacle(config, source); };
  if (config.tied_embeddings) reading.adapt = adapt_tied;
  model.declare(reading.parameters);
  return reading;
}

}  // namespace vllama::models
