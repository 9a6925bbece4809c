#include "models/load_video_llama.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "models/embedding_scale.h"
#include "models/encoder_reading.h"
#include "models/file_sizes.h"
#include "models/load_language_model.h"
#include "models/modules.h"
#include "models/saved_step.h"
#include "models/weight_names.h"

namespace vllama::models {
namespace {

using weights::LoadRules;

// Rules for a part of the base: fp32 and writable if it trains, else as `frozen`.
LoadRules base_rules(LoadRules frozen, bool trains) {
  if (!trains) return frozen;
  frozen.dtype = at::kFloat;
  frozen.writable = true;
  return frozen;
}

WeightReading resampler_reading(VideoLlama& model, Branch& branch, const WeightFiles& files,
                                const LoadRules& frozen) {
  LoadRules rules = base_rules(frozen, model.trains(branch.names().resampler));
  rules.is_ignorable = is_unused_q_former_name;
  WeightReading reading{"q_former", files.q_former, {}, std::move(rules)};
  branch.declare_resampler(reading.parameters);
  return reading;
}

// What of a branch lies in published files that never change.
std::vector<WeightReading> base_readings(VideoLlama& model, Branch& branch,
                                         const WeightFiles& files, const LoadRules& frozen) {
  // An encoder that trains, if only in part, computes in fp32 as everything that does.
  std::vector<WeightReading> readings{
      encoder_reading(branch, files.named(branch.names().encoder_file),
                      base_rules(frozen, model.trains(branch.names().encoder)))};
  if (branch.resampler() != nullptr && !files.q_former.empty())
    readings.push_back(resampler_reading(model, branch, files, frozen));
  return readings;
}

WeightReading base_language_model(VideoLlama& model, const WeightFiles& files,
                                  const LoadRules& frozen) {
  return language_model_reading(model.language_model(), files.language_model,
                                base_rules(frozen, model.trains(ModuleName::language_model)));
}

// Only the parameters whose names begin with `prefix`; the file may hold anything else.
WeightReading restricted(WeightReading reading, std::string_view prefix) {
  reading.rules.is_ignorable = [](const std::string&) { return true; };
  std::erase_if(reading.parameters, [prefix](const nn::Parameter& parameter) {
    return !parameter.name.starts_with(prefix);
  });
  return reading;
}

// The branch, other than `own`, that a checkpoint holds alone: no list of missing names says it as
// well.
std::string other_branch(const weights::TensorSource& source, const BranchNames& own) {
  bool holds_own = false;
  const PublishedPart* other = nullptr;
  for (const weights::TensorFacts& facts : source.tensors())
    for (const PublishedPart& part : published_parts()) {
      if (part.kind != PartKind::queries || part.module == own.resampler ||
          facts.name != part.beginning)
        continue;
      if (part.place() == own.place)
        holds_own = true;
      else if (row_of(*part.module).is_published)
        other = &part;
    }
  if (holds_own || other == nullptr) return {};
  return fmt::format(
      "this is a checkpoint of the {0} branch, which holds nothing of the {1} branch; name it as "
      "model.weights.{0}_checkpoint in a configuration that has that branch",
      other->place() == ModulePlace::vision_branch ? "vision" : "audio", own.branch);
}

// In the order in which they are read; a later file wins.
std::vector<WeightReading> trainable_readings(Branch& branch, const WeightFiles& files) {
  std::vector<WeightReading> readings;
  const BranchNames& names = branch.names();
  LoadRules rules{.dtype = at::kFloat, .writable = true};
  nn::ParameterList parameters;
  branch.declare_trainable(parameters);
  if (names.place == ModulePlace::vision_branch && !files.projection.empty())
    readings.push_back(
        restricted({"projection", files.projection, parameters, rules}, "llama_proj."));
  rules.is_ignorable = [place = names.place](const std::string& name) {
    return is_unused_in_checkpoint(name, place);
  };
  const std::string& checkpoint = files.named(names.checkpoint);
  if (!checkpoint.empty())
    readings.push_back({names.checkpoint, checkpoint, parameters, rules,
                        [names](const auto& source) { return other_branch(source, names); }});
  return readings;
}

std::vector<WeightReading> trainable_parts(VideoLlama& model, const WeightFiles& files,
                                           const LoadRules& frozen) {
  std::vector<WeightReading> readings;
  const auto append = [&readings](std::vector<WeightReading> more) {
    std::ranges::move(more, std::back_inserter(readings));
  };
  for (Branch& branch : model.branches()) append(trainable_readings(branch, files));
  if (!files.saved_step.empty()) append(saved_step_readings(model, files.saved_step, frozen));
  return readings;
}

void warn_of_other_scales(const ModelConfig& config) {
  for (const std::string& file : {config.weights.audio_checkpoint, config.weights.saved_step}) {
    if (file.empty()) continue;
    const std::string warning = other_scale_warning(file, config.audio.embedding_scale);
    if (!warning.empty()) log::warn("{}", warning);
  }
}

void read_trainable(VideoLlama& model, const WeightFiles& files, const LoadRules& frozen,
                    std::uint64_t seed) {
  nn::ParameterList fresh = model.branch_parameters();
  for (Branch& branch : model.branches()) branch.declare_adapters(fresh);
  model.language_model().declare_lora(fresh, "llama_model.");
  if (files.q_former.empty())
    for (Branch& branch : model.branches()) branch.declare_resampler(fresh);
  nn::initialize(fresh, seed);
  for (const WeightReading& reading : trainable_parts(model, files, frozen)) load(reading);
  for (Branch& branch : model.branches()) branch.clear_unused_positions();
  if (model.config().has_audio() && model.config().audio.sees())
    warn_of_other_scales(model.config());
}

void load_trainable(VideoLlama& model, const WeightFiles& files, const LoadRules& frozen,
                    at::Device device, std::uint64_t seed) {
  read_trainable(model, files, frozen, seed);
  for (const nn::Parameter& parameter : model.branch_parameters())
    *parameter.tensor = parameter.tensor->to(device);
  for (const nn::Parameter& parameter : model.trainable_parameters())
    *parameter.tensor = parameter.tensor->to(device);
}

// The norm behind an encoder is in the resampler's file and stays frozen when that trains.
void load_base(VideoLlama& model, Branch& branch, const WeightFiles& files,
               const LoadRules& frozen) {
  for (const WeightReading& reading : base_readings(model, branch, files, frozen)) load(reading);
  nn::ParameterList resampler;
  if (!files.q_former.empty()) branch.declare_resampler(resampler);
  for (const nn::Parameter& parameter : resampler)
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
  for (Branch& branch : model.branches())
    std::ranges::move(base_readings(model, branch, files, frozen), std::back_inserter(readings));
  return readings;
}

}  // namespace

std::string missing_files(const ModelConfig& config) {
  const WeightFiles& files = config.weights;
  std::string missing;
  for (const std::string& key : config.encoder_file_keys()) {
    // A Q-Former over frames that trains may begin without a file.
    const bool may_be_fresh =
        key == "q_former" && std::ranges::any_of(config.trainable, [](const auto& trained) {
          return trained.module == ModuleName::image_q_former;
        });
    if (files.named(key).empty() && !may_be_fresh) missing += "\n  model.weights." + key;
  }
  if (missing.empty()) return {};
  return fmt::format("model.branches: {} needs these files:{}", config::name_of(config.branches),
                     missing);
}

std::unique_ptr<VideoLlama> load_video_llama(const ModelConfig& given, at::Device device,
                                             std::uint64_t seed, nn::PartExchange* sharers) {
  if (const std::string missing = missing_files(given); !missing.empty()) throw UserError(missing);
  const ModelConfig config = agreed_sizes(given);
  const WeightFiles& files = config.weights;
  auto model = std::make_unique<VideoLlama>(config, language_config(files));
  const LoadRules frozen{.dtype = frozen_type(config.precision), .device = device};
  for (Branch& branch : model->branches()) load_base(*model, branch, files, frozen);
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
    const LoadRules frozen{.dtype = frozen_type(config.precision)};
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

void check_vocabulary(const language::LlamaConfig& language_model, std::int64_t num_tokens,
                      std::int64_t max_added_rows, const std::string& folder) {
  const std::int64_t rows = language_model.vocabulary_size;
  if (rows < num_tokens || rows > num_tokens + max_added_rows)
    throw UserError(
        fmt::format("'{}': the tokenizer has {} pieces, but the embedding table has {} rows; "
                    "use the tokenizer that belongs to these weights",
                    folder, num_tokens, rows));
}

}  // namespace vllama::models
