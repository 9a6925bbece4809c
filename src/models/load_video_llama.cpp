#include "models/load_video_llama.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "models/embedding_scale.h"
#include "models/file_sizes.h"
#include "models/load_image_bind.h"
#include "models/load_language_model.h"
#include "models/modules.h"
#include "models/saved_step.h"
#include "models/weight_names.h"

namespace vllama::models {
namespace {

using weights::LoadRules;

// Rows of an embedding table beyond the tokenizer's pieces: added tokens, and rounding for speed.
constexpr std::int64_t kMaxAddedRows = 256;

// Rules for a part of the base: fp32 and writable if it trains, else as `frozen`.
LoadRules base_rules(LoadRules frozen, bool trains) {
  if (!trains) return frozen;
  frozen.dtype = at::kFloat;
  frozen.writable = true;
  return frozen;
}

std::vector<WeightReading> base_vision(VideoLlama& model, const WeightFiles& files,
                                       const LoadRules& frozen) {
  VisionBranch& vision = *model.vision();
  std::vector<WeightReading> readings;
  LoadRules rules = frozen;
  rules.is_ignorable = [num_blocks = vision.config().encoder.num_blocks](const std::string& name) {
    return is_unused_encoder_name(name, num_blocks);
  };
  vision.declare_encoder(
      readings.emplace_back(WeightReading{"vision_encoder", files.vision_encoder, {}, rules})
          .parameters);
  rules = base_rules(frozen, model.trains("image_q_former"));
  rules.is_ignorable = is_unused_q_former_name;
  vision.declare_image_q_former(
      readings.emplace_back(WeightReading{"q_former", files.q_former, {}, rules}).parameters);
  return readings;
}

WeightReading base_language_model(VideoLlama& model, const WeightFiles& files,
                                  const LoadRules& frozen) {
  return language_model_reading(model.language_model(), files.language_model,
                                base_rules(frozen, model.trains("language_model")));
}

// Only the parameters whose names begin with `prefix`; the file may hold anything else.
WeightReading restricted(WeightReading reading, std::string_view prefix) {
  reading.rules.is_ignorable = [](const std::string&) { return true; };
  std::erase_if(reading.parameters, [prefix](const nn::Parameter& parameter) {
    return !parameter.name.starts_with(prefix);
  });
  return reading;
}

// A checkpoint that holds the other branch alone: no list of missing names says it as well.
std::string other_branch(const weights::TensorSource& source, const std::string& own,
                         const std::string& other) {
  const auto holds = [&source](const std::string& name) {
    return std::ranges::find(source.tensors(), name, &weights::TensorFacts::name) !=
           source.tensors().end();
  };
  const auto queries_of = [](const std::string& branch) {
    return (branch == "vision" ? "video" : branch) + "_query_tokens";
  };
  if (holds(queries_of(own)) || !holds(queries_of(other))) return {};
  return fmt::format(
      "this is a checkpoint of the {0} branch, which holds nothing of the {1} branch; name it as "
      "model.weights.{0}_checkpoint in a configuration that has that branch",
      other, own);
}

// In the order in which they are read; a later file wins.
std::vector<WeightReading> trainable_vision(VisionBranch& vision, const WeightFiles& files) {
  std::vector<WeightReading> readings;
  LoadRules rules{.dtype = at::kFloat, .writable = true};
  nn::ParameterList parameters;
  vision.declare_trainable(parameters);
  if (!files.projection.empty())
    readings.push_back(
        restricted({"projection", files.projection, parameters, rules}, "llama_proj."));
  rules.is_ignorable = is_unused_in_vision_checkpoint;
  if (!files.vision_checkpoint.empty())
    readings.push_back(
        {"vision_checkpoint", files.vision_checkpoint, parameters, rules,
         [](const auto& source) { return other_branch(source, "vision", "audio"); }});
  return readings;
}

std::vector<WeightReading> trainable_audio(AudioBranch& audio, const WeightFiles& files) {
  if (files.audio_checkpoint.empty()) return {};
  WeightReading reading{"audio_checkpoint",
                        files.audio_checkpoint,
                        {},
                        {.dtype = at::kFloat, .writable = true},
                        [](const auto& source) { return other_branch(source, "audio", "vision"); }};
  reading.rules.is_ignorable = is_unused_in_audio_checkpoint;
  audio.declare_trainable(reading.parameters);
  return {std::move(reading)};
}

std::vector<WeightReading> trainable_parts(VideoLlama& model, const WeightFiles& files,
                                           const LoadRules& frozen) {
  std::vector<WeightReading> readings;
  const auto append = [&readings](std::vector<WeightReading> more) {
    std::ranges::move(more, std::back_inserter(readings));
  };
  if (VisionBranch* vision = model.vision()) append(trainable_vision(*vision, files));
  if (AudioBranch* audio = model.audio()) append(trainable_audio(*audio, files));
  if (!files.saved_step.empty()) append(saved_step_readings(model, files.saved_step, frozen));
  return readings;
}

void warn_of_other_scales(const WeightFiles& files, const AudioBranch& audio) {
  for (const std::string& file : {files.audio_checkpoint, files.saved_step}) {
    if (file.empty()) continue;
    const std::string warning = other_scale_warning(file, audio.config().embedding_scale);
    if (!warning.empty()) log::warn("{}", warning);
  }
}

void read_trainable(VideoLlama& model, const WeightFiles& files, const LoadRules& frozen,
                    std::uint64_t seed) {
  nn::ParameterList fresh = model.branch_parameters();
  model.language_model().declare_lora(fresh, "llama_model.");
  nn::initialize(fresh, seed);
  for (const WeightReading& reading : trainable_parts(model, files, frozen)) load(reading);
  if (model.vision() != nullptr) model.vision()->clear_unused_positions();
  if (model.audio() != nullptr) model.audio()->clear_unused_positions();
  if (model.audio() != nullptr) warn_of_other_scales(files, *model.audio());
}

void load_trainable(VideoLlama& model, const WeightFiles& files, const LoadRules& frozen,
                    at::Device device, std::uint64_t seed) {
  read_trainable(model, files, frozen, seed);
  for (const nn::Parameter& parameter : model.branch_parameters())
    *parameter.tensor = parameter.tensor->to(device);
  for (const nn::Parameter& parameter : model.trainable_parameters())
    *parameter.tensor = parameter.tensor->to(device);
}

// The norm behind the encoder is in the Q-Former's file and stays frozen when that trains.
void load_base_vision(VideoLlama& model, const WeightFiles& files, const LoadRules& frozen) {
  for (const WeightReading& reading : base_vision(model, files, frozen)) load(reading);
  nn::ParameterList q_former;
  model.vision()->declare_image_q_former(q_former);
  for (const nn::Parameter& parameter : q_former)
    if (!model.trains(module_of(parameter.name)))
      *parameter.tensor = parameter.tensor->to(frozen.dtype);
}

language::LlamaConfig language_config(const WeightFiles& files) {
  return language::read_llama_config(std::filesystem::path(files.language_model) / "config.json");
}

// Matrices are read in host memory, one at a time, and a part of each goes to the device; other
// tensors go there as they are.
LoadRules rules_in_parts(LoadRules frozen, language::Llama& language_model) {
  frozen.after_each = [&language_model,
                       device = frozen.device](const weights::ParameterSlot& slot) {
    if (!language_model.keep_part(*slot.tensor)) *slot.tensor = slot.tensor->to(device);
  };
  frozen.device = at::kCPU;
  return frozen;
}

// Throws UserError with a line for every file whose sizes are not those that were given.
ModelConfig agreed_sizes(const ModelConfig& given) {
  SizedModel sized = sizes_of_files(given);
  std::string problems;
  for (const auto& [key, problem] : sized.contradictions)
    problems += (problems.empty() ? "" : "\n") + problem;
  if (!problems.empty()) throw UserError(problems);
  return std::move(sized.config);
}

at::ScalarType frozen_type(const ModelConfig& config) {
  return config.precision == "bf16" ? at::kBFloat16 : at::kFloat;
}

// What load_video_llama() would read. Without the language model's configuration the sizes that
// depend on it are unknown, and files that have them are only opened.
std::vector<WeightReading> all_readings(VideoLlama& model, const WeightFiles& files,
                                        const LoadRules& frozen, bool knows_language) {
  std::vector<WeightReading> readings = trainable_parts(model, files, frozen);
  readings.push_back(base_language_model(model, files, frozen));
  if (!knows_language)
    for (WeightReading& reading : readings) {
      reading.parameters.clear();
      reading.adapt = nullptr;
      reading = restricted(std::move(reading), "");
    }
  if (!knows_language) readings.back().obstacle = nullptr;
  if (model.vision() != nullptr)
    std::ranges::move(base_vision(model, files, frozen), std::back_inserter(readings));
  if (AudioBranch* audio = model.audio())
    readings.push_back(image_bind_reading(*audio, files.image_bind, frozen));
  return readings;
}

}  // namespace

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

std::unique_ptr<VideoLlama> load_video_llama(const ModelConfig& given, at::Device device,
                                             std::uint64_t seed, nn::PartExchange* sharers) {
  if (const std::string missing = missing_files(given); !missing.empty()) throw UserError(missing);
  const ModelConfig config = agreed_sizes(given);
  const WeightFiles& files = config.weights;
  auto model = std::make_unique<VideoLlama>(config, language_config(files));
  const LoadRules frozen{.dtype = frozen_type(config), .device = device};
  if (model->vision() != nullptr) load_base_vision(*model, files, frozen);
  if (AudioBranch* audio = model->audio())
    load_image_bind(*audio, files.image_bind, frozen.dtype, device);
  if (sharers != nullptr) model->language_model().shard_layers(*sharers, frozen.dtype, device);
  const LoadRules language_rules =
      sharers == nullptr ? frozen : rules_in_parts(frozen, model->language_model());
  load(base_language_model(*model, files, language_rules));
  model->language_model().prepare(frozen.dtype, device);
  load_trainable(*model, files, language_rules, device, seed);
  return model;
}

std::vector<std::pair<std::string, at::Tensor>> read_trained_part(const ModelConfig& given,
                                                                  const std::string& trained,
                                                                  std::uint64_t seed) {
  const ModelConfig config = agreed_sizes(given);
  VideoLlama model(config, language_config(config.weights));
  const LoadRules exact{.dtype = at::kFloat};
  read_trainable(model, config.weights, exact, seed);
  if (!trained.empty()) read_saved_step(model, trained, exact);
  std::vector<std::pair<std::string, at::Tensor>> part;
  for (const nn::Parameter& parameter : model.module_parameters())
    if (parameter.tensor->defined()) part.emplace_back(parameter.name, *parameter.tensor);
  return part;
}

std::vector<std::string> check_weights(const ModelConfig& given) {
  const auto [config, contradictions] = sizes_of_files(given);
  const WeightFiles& files = config.weights;
  std::vector<std::string> problems{missing_files(config)};
  for (const auto& [key, problem] : contradictions) problems.push_back(problem);
  std::optional<language::LlamaConfig> language;
  try {
    language = language_config(files);
  } catch (const UserError& error) {
    problems.push_back(error.what());
  }
  try {
    VideoLlama model(config, language.value_or(language::LlamaConfig{}));
    const LoadRules frozen{.dtype = frozen_type(config)};
    for (WeightReading& reading : all_readings(model, files, frozen, language.has_value()))
      if (!reading.file.empty() && !contradictions.contains(reading.key))
        problems.push_back(problem_of(std::move(reading)));
  } catch (const UserError&) {
    // Sizes that make no model, such as heads that do not divide a file's width, are listed above.
    if (contradictions.empty()) throw;
  }
  std::erase(problems, "");
  return problems;
}

void check_vocabulary(const language::LlamaConfig& language_model, std::int64_t num_pieces,
                      const std::string& folder) {
  const std::int64_t rows = language_model.vocabulary_size;
  if (rows < num_pieces || rows > num_pieces + kMaxAddedRows)
    throw UserError(
        fmt::format("'{}': tokenizer.model has {} pieces, but the embedding table has {} rows; "
                    "use the tokenizer that belongs to these weights",
                    folder, num_pieces, rows));
}

}  // namespace vllama::models
