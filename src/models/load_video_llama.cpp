#include "models/load_video_llama.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

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

// A weight file, and what is taken from it.
struct Reading {
  std::string file;
  nn::ParameterList parameters;
  LoadRules rules;
};

// A class token and the patches of a square image.
bool is_square_grid(std::int64_t num_tokens) {
  if (num_tokens < 2) return false;
  const auto side = std::llround(std::sqrt(static_cast<double>(num_tokens - 1)));
  return side * side == num_tokens - 1;
}

// The encoder's position table, null in other lists. Its file may be for another image size: it is
// read in its own shape and resized.
nn::Parameter* position_table(nn::ParameterList& parameters) {
  const auto found = std::ranges::find(parameters, "pos_embed", &nn::Parameter::name);
  return found == parameters.end() ? nullptr : &*found;
}

void take_shape_of_file(nn::Parameter& positions, const TensorSource& source) {
  for (const checkpoint::TensorFacts& facts : source.tensors())
    if (facts.name == positions.name && facts.shape.size() == 3 &&
        facts.shape[2] == positions.shape[2] && is_square_grid(facts.shape[1]))
      positions.shape[1] = facts.shape[1];
}

void load(Reading reading) {
  const auto source = checkpoint::open_weights(reading.file);
  nn::Parameter* positions = position_table(reading.parameters);
  const std::int64_t num_tokens = positions != nullptr ? positions->shape[1] : 0;
  if (positions != nullptr) take_shape_of_file(*positions, *source);
  const auto summary =
      checkpoint::load_parameters(*source, slots_of(reading.parameters), reading.rules);
  log::info("read {} tensors ({} ignored) from '{}'", summary.num_loaded, summary.num_ignored,
            reading.file);
  if (positions == nullptr || positions->shape[1] == num_tokens) return;
  log::info("resized the position table of '{}' from {} to {} tokens", reading.file,
            positions->shape[1], num_tokens);
  *positions->tensor = resize_positions(*positions->tensor, num_tokens).to(reading.rules.dtype);
}

// What load() would throw, or an empty text.
std::string problem_of(Reading reading) {
  try {
    const auto source = checkpoint::open_weights(reading.file);
    if (nn::Parameter* positions = position_table(reading.parameters))
      take_shape_of_file(*positions, *source);
    return checkpoint::mismatches(*source, slots_of(reading.parameters), reading.rules);
  } catch (const UserError& error) {
    return error.what();
  }
}

std::vector<Reading> frozen_vision(VisionBranch& vision, const WeightFiles& files,
                                   LoadRules rules) {
  std::vector<Reading> readings;
  rules.is_ignorable = [num_blocks = vision.config().encoder.num_blocks](const std::string& name) {
    return is_unused_encoder_name(name, num_blocks);
  };
  vision.declare_encoder(
      readings.emplace_back(Reading{files.vision_encoder, {}, rules}).parameters);
  rules.is_ignorable = is_unused_q_former_name;
  vision.declare_image_q_former(
      readings.emplace_back(Reading{files.q_former, {}, rules}).parameters);
  return readings;
}

Reading frozen_language_model(Llama& language_model, const WeightFiles& files, LoadRules rules) {
  rules.is_ignorable = is_unused_language_model_name;
  Reading reading{files.language_model, {}, rules};
  language_model.declare(reading.parameters);
  return reading;
}

// Only the parameters whose names begin with `prefix`; the file may hold anything else.
Reading part_of_file(const std::string& file, const nn::ParameterList& parameters,
                     std::string_view prefix, LoadRules rules) {
  rules.is_ignorable = [](const std::string&) { return true; };
  Reading reading{file, {}, rules};
  for (const nn::Parameter& parameter : parameters)
    if (parameter.name.starts_with(prefix)) reading.parameters.push_back(parameter);
  return reading;
}

// In the order in which they are read; a later file wins.
std::vector<Reading> trainable_vision(VisionBranch& vision, const WeightFiles& files) {
  std::vector<Reading> readings;
  LoadRules rules{.dtype = at::kFloat, .writable = true};
  nn::ParameterList parameters;
  vision.declare_trainable(parameters);
  if (!files.projection.empty())
    readings.push_back(part_of_file(files.projection, parameters, "llama_proj.", rules));
  rules.is_ignorable = is_unused_checkpoint_name;
  if (!files.vision_checkpoint.empty())
    readings.push_back({files.vision_checkpoint, parameters, rules});
  return readings;
}

void load_trainable(VideoLlama& model, const WeightFiles& files, at::Device device,
                    std::uint64_t seed) {
  const nn::ParameterList parameters = model.trainable_parameters();
  nn::initialize(parameters, seed);
  if (VisionBranch* vision = model.vision())
    for (Reading& reading : trainable_vision(*vision, files)) load(std::move(reading));
  for (const nn::Parameter& parameter : parameters)
    *parameter.tensor = parameter.tensor->to(device);
}

// Names the files that the configured branches need and the configuration lacks; else empty.
std::string missing_files(const ModelConfig& config) {
  const WeightFiles& files = config.weights;
  std::string missing;
  const auto require = [&missing](bool is_needed, const std::string& file, const char* key) {
    if (is_needed && file.empty()) missing += fmt::format("\n  model.weights.{}", key);
  };
  require(config.has_vision(), files.vision_encoder, "vision_encoder");
  require(config.has_vision(), files.q_former, "q_former");
  require(config.has_audio(), files.image_bind, "image_bind");
  if (missing.empty()) return {};
  return fmt::format("model.branches: {} needs these files:{}", config.branches, missing);
}

LlamaConfig language_config(const WeightFiles& files) {
  return read_llama_config(std::filesystem::path(files.language_model) / "config.json");
}

at::ScalarType frozen_type(const ModelConfig& config) {
  return config.precision == "bf16" ? at::kBFloat16 : at::kFloat;
}

}  // namespace

std::unique_ptr<VideoLlama> load_video_llama(const ModelConfig& config, at::Device device,
                                             std::uint64_t seed) {
  if (const std::string missing = missing_files(config); !missing.empty()) throw UserError(missing);
  const WeightFiles& files = config.weights;
  auto model = std::make_unique<VideoLlama>(config, language_config(files));
  const LoadRules frozen{.dtype = frozen_type(config), .device = device};
  if (VisionBranch* vision = model->vision())
    for (Reading& reading : frozen_vision(*vision, files, frozen)) load(std::move(reading));
  load(frozen_language_model(model->language_model(), files, frozen));
  model->language_model().prepare(frozen.dtype, device);
  load_trainable(*model, files, device, seed);
  return model;
}

std::vector<std::string> check_weights(const ModelConfig& config) {
  const WeightFiles& files = config.weights;
  std::vector<std::string> problems{missing_files(config)};
  std::optional<LlamaConfig> language;
  try {
    language = language_config(files);
  } catch (const UserError& error) {
    problems.push_back(error.what());
  }
  VideoLlama model(config, language.value_or(LlamaConfig{}));
  const LoadRules frozen{.dtype = frozen_type(config)};
  std::vector<Reading> readings{frozen_language_model(model.language_model(), files, frozen)};
  if (VisionBranch* vision = model.vision())
    std::ranges::move(trainable_vision(*vision, files), std::back_inserter(readings));
  // Without its config.json the sizes that depend on the language model are unknown.
  if (!language)
    for (Reading& reading : readings) reading = part_of_file(reading.file, {}, "", frozen);
  if (VisionBranch* vision = model.vision())
    std::ranges::move(frozen_vision(*vision, files, frozen), std::back_inserter(readings));
  for (Reading& reading : readings)
    if (!reading.file.empty()) problems.push_back(problem_of(std::move(reading)));
  std::erase(problems, "");
  return problems;
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
