#include "models/load_video_llama.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "checkpoint/load.h"
#include "core/error.h"
#include "core/log.h"
#include "models/weight_names.h"

namespace vllama::models {
namespace {

using checkpoint::LoadRules;
using checkpoint::ParameterSlot;
using checkpoint::TensorSource;

// Rows of an embedding table beyond the tokenizer's pieces: added tokens, and rounding for speed.
constexpr std::int64_t kMaxAddedRows = 256;

std::vector<ParameterSlot> slots_of(const nn::ParameterList& parameters) {
  std::vector<ParameterSlot> slots;
  for (const nn::Parameter& parameter : parameters)
    slots.push_back({parameter.name, parameter.shape, parameter.tensor});
  return slots;
}

void load(const std::string& file, const nn::ParameterList& parameters, const LoadRules& rules) {
  const auto summary =
      checkpoint::load_parameters(*checkpoint::open_weights(file), slots_of(parameters), rules);
  log::info("read {} tensors ({} ignored) from '{}'", summary.num_loaded, summary.num_ignored,
            file);
}

// A class token and the patches of a square image.
bool is_square_grid(std::int64_t num_tokens) {
  if (num_tokens < 2) return false;
  const auto side = std::llround(std::sqrt(static_cast<double>(num_tokens - 1)));
  return side * side == num_tokens - 1;
}

// The position table of the file may be for another image size: it is read in its own shape and
// resized.
void load_encoder(VisionBranch& vision, const std::string& file, LoadRules rules) {
  nn::ParameterList parameters;
  vision.declare_encoder(parameters);
  const auto source = checkpoint::open_weights(file);
  const auto positions = std::ranges::find(parameters, "pos_embed", &nn::Parameter::name);
  for (const checkpoint::TensorFacts& facts : source->tensors())
    if (facts.name == "pos_embed" && facts.shape.size() == 3 &&
        facts.shape[2] == positions->shape[2] && is_square_grid(facts.shape[1]))
      positions->shape[1] = facts.shape[1];
  const EvaVitConfig& config = vision.config().encoder;
  rules.is_ignorable = [&config](const std::string& name) {
    return is_unused_encoder_name(name, config.num_blocks);
  };
  checkpoint::load_parameters(*source, slots_of(parameters), rules);
  if (positions->shape[1] == config.num_tokens()) return;
  log::info("resized the position table of '{}' from {} to {} tokens", file, positions->shape[1],
            config.num_tokens());
  *positions->tensor = resize_positions(*positions->tensor, config.num_tokens()).to(rules.dtype);
}

// Only the parameters whose names begin with `prefix`; the file may hold anything else.
void load_part(const std::string& file, const nn::ParameterList& parameters,
               std::string_view prefix, LoadRules rules) {
  nn::ParameterList part;
  for (const nn::Parameter& parameter : parameters)
    if (parameter.name.starts_with(prefix)) part.push_back(parameter);
  rules.is_ignorable = [](const std::string&) { return true; };
  load(file, part, rules);
}

void load_trainable(VideoLlama& model, const WeightFiles& files, at::Device device,
                    std::uint64_t seed) {
  const LoadRules rules{.dtype = at::kFloat, .writable = true};
  const nn::ParameterList parameters = model.trainable_parameters();
  nn::initialize(parameters, seed);
  if (VisionBranch* vision = model.vision()) {
    nn::ParameterList list;
    vision->declare_trainable(list);
    if (!files.projection.empty()) load_part(files.projection, list, "llama_proj.", rules);
    if (!files.vision_checkpoint.empty()) {
      LoadRules of_checkpoint = rules;
      of_checkpoint.is_ignorable = is_unused_checkpoint_name;
      load(files.vision_checkpoint, list, of_checkpoint);
    }
  }
  for (const nn::Parameter& parameter : parameters)
    *parameter.tensor = parameter.tensor->to(device);
}

void load_vision(VisionBranch& vision, const WeightFiles& files, LoadRules frozen) {
  load_encoder(vision, files.vision_encoder, frozen);
  nn::ParameterList q_former;
  vision.declare_image_q_former(q_former);
  frozen.is_ignorable = is_unused_q_former_name;
  load(files.q_former, q_former, frozen);
}

// Every file that the configured branches need is named.
void check_files(const ModelConfig& config) {
  const WeightFiles& files = config.weights;
  std::string missing;
  const auto require = [&missing](bool is_needed, const std::string& file, const char* key) {
    if (is_needed && file.empty()) missing += fmt::format("\n  model.weights.{}", key);
  };
  require(config.has_vision(), files.vision_encoder, "vision_encoder");
  require(config.has_vision(), files.q_former, "q_former");
  require(config.has_audio(), files.image_bind, "image_bind");
  if (!missing.empty())
    throw UserError(
        fmt::format("model.branches: {} needs these files:{}", config.branches, missing));
}

}  // namespace

std::unique_ptr<VideoLlama> load_video_llama(const ModelConfig& config, at::Device device,
                                             std::uint64_t seed) {
  check_files(config);
  const WeightFiles& files = config.weights;
  const auto language_config =
      read_llama_config(std::filesystem::path(files.language_model) / "config.json");
  auto model = std::make_unique<VideoLlama>(config, language_config);
  const at::ScalarType dtype = config.precision == "bf16" ? at::kBFloat16 : at::kFloat;
  LoadRules frozen{.dtype = dtype, .device = device};

  if (model->vision() != nullptr) load_vision(*model->vision(), files, frozen);
  nn::ParameterList language_model;
  model->language_model().declare(language_model);
  frozen.is_ignorable = is_unused_language_model_name;
  load(files.language_model, language_model, frozen);
  model->language_model().prepare(dtype, device);
  load_trainable(*model, files, device, seed);
  return model;
}

void check_vocabulary(const LlamaConfig& language_model, std::int64_t num_pieces,
                      const std::string& folder) {
  const std::int64_t rows = language_model.vocabulary_size;
  if (rows < num_pieces || rows > num_pieces + kMaxAddedRows)
    throw UserError(
        fmt::format("'{}': tokenizer.model has {} pieces, but the embedding table has {} rows; "
                    "use the tokenizer that belongs to these weights",
                    folder, num_pieces, rows));
}

}  // namespace vllama::models
