#include "train/plan/startup_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "core/divided_up.h"
#include "core/error.h"
#include "datasets/formats/open_dataset.h"
#include "models/model_input.h"
#include "models/modules.h"
#include "output/number_text.h"
#include "output/table.h"

namespace vllama::train {
namespace {

// The peak rate of a module that trains.
double peak_rate(const models::VideoLlama& model, models::ModuleName module,
                 const optim::ScheduleConfig& schedule) {
  const auto& trained = model.trained_modules();
  const auto own = std::ranges::find(trained, module, &models::TrainedModule::module);
  return own->learning_rate > 0 ? own->learning_rate : schedule.peak_learning_rate;
}

std::int64_t count(std::span<const ModulePlan> modules, bool trained) {
  std::int64_t sum = 0;
  for (const ModulePlan& module : modules)
    if (module.is_trained == trained) sum += module.num_parameters;
  return sum;
}

std::string parameter_table(std::span<const ModulePlan> modules) {
  output::Table table{.title = "Parameters",
                      .header = {"module", "trained", "frozen", "dtype", "peak learning rate"}};
  for (const ModulePlan& module : modules) {
    const std::string number = output::grouped_digits(module.num_parameters);
    table.rows.push_back({module.name, module.is_trained ? number : "",
                          module.is_trained ? "" : number, module.dtype,
                          module.is_trained ? fmt::format("{:g}", module.peak_learning_rate) : ""});
  }
  table.total = {"total", output::grouped_digits(count(modules, true)),
                 output::grouped_digits(count(modules, false))};
  return output::format_table(table);
}

std::string mixing_text(datasets::Mixing mixing) {
  switch (mixing) {
    case datasets::Mixing::drawn_steps:
      return "each step from one set, drawn";
    case datasets::Mixing::apportioned_steps:
      return "each step from one set, in turns";
    case datasets::Mixing::within_step:
      return "each step from all sets";
  }
  VLLAMA_ASSERT(false, "a way of mixing");
}

std::string data_table(std::span<const DatasetPlan> sets, datasets::Mixing mixing) {
  output::Table table{
      .title = fmt::format("Data, {}", mixing_text(mixing)),
      .header = {"set", "records", "invalid", "share", "samples per epoch", "samples", "passes"}};
  for (const DatasetPlan& set : sets)
    table.rows.push_back(
        {set.name, output::grouped_digits(set.num_records), output::grouped_digits(set.num_invalid),
         fmt::format("{:.1f} %", 100 * set.share),
         output::grouped_digits(set.num_samples_per_epoch), output::grouped_digits(set.num_samples),
         fmt::format("{:.2f}", set.num_passes)});
  return output::format_table(table);
}

Sharding sharding_of(const distributed::DistributedConfig& config, const RankCounts& ranks) {
  return {.num_optimizer_parts = config.shard_optimizer ? ranks.num_ranks : 1,
          .num_language_model_parts = config.shard_language_model ? ranks.num_local_ranks : 1};
}

// "frozen weights, the language model's layers in 8 parts"
std::string in_parts(std::string row, const char* what, std::int64_t num_parts) {
  return num_parts == 1 ? row : fmt::format("{}, {} in {} parts", row, what, num_parts);
}

std::string memory_table(const MemoryEstimate& memory, const Sharding& sharding) {
  output::Table table{
      .title = "Memory, estimated, of one rank",
      .header = {},
      .rows = {{in_parts("frozen weights", "the language model's layers",
                         sharding.num_language_model_parts),
                output::byte_text(memory.frozen_weights_bytes)},
               {in_parts("trained weights, gradients, moments", "the moments",
                         sharding.num_optimizer_parts),
                output::byte_text(memory.trained_state_bytes)},
               {"activations kept for backward", output::byte_text(memory.activations_bytes)},
               {"encoder at work", output::byte_text(memory.encoder_bytes)},
               {"logits", output::byte_text(memory.logits_bytes)}},
      .total = {"total", output::byte_text(memory.total_bytes())}};
  if (memory.gathered_layers_bytes > 0)
    table.rows.insert(table.rows.begin() + 1, {"two whole layers of the language model",
                                               output::byte_text(memory.gathered_layers_bytes)});
  if (memory.remembered_bytes > 0)
    table.rows.push_back(
        {"features remembered, at most", output::byte_text(memory.remembered_bytes)});
  return output::format_table(table);
}

std::string plan_table(const RunConfig& config, const std::string& device) {
  const TrainingConfig& training = config.training;
  return output::format_table(
      {.title = "Plan",
       .header = {},
       .rows = {{"output", config.output_dir},
                {"device", fmt::format("{}, frozen parts in {}", device,
                                       config::name_of(config.model.precision))},
                {"steps", fmt::format("{} epochs of {}", training.num_epochs,
                                      output::grouped_digits(training.steps_per_epoch))},
                {"samples a step", fmt::format("{}, at most {} at once on a rank",
                                               training.batch_size, training.micro_batch_size)},
                {"learning rate",
                 fmt::format("{:g} to {:g}, {} warm-up steps", config.schedule.peak_learning_rate,
                             config.schedule.min_learning_rate, config.schedule.warmup_steps)}},
       .total = {}});
}

}  // namespace

std::vector<DatasetPlan> plan_datasets(const RunConfig& config, const datasets::Mixture& data,
                                       const datasets::SampleOrder& order) {
  std::vector<DatasetPlan> sets;
  for (std::int64_t i = 0; i < data.num_datasets(); ++i)
    sets.push_back({.name = data.dataset_name(i),
                    .num_records = data.dataset(i).size(),
                    .num_invalid = data.dataset(i).invalid().total()});
  plan_samples(config.training, order, sets);
  return sets;
}

void plan_samples(const TrainingConfig& training, const datasets::SampleOrder& order,
                  std::span<DatasetPlan> sets) {
  // No estimates: the draws of the run are known before it starts.
  const auto samples = order.num_samples_before(training.num_steps());
  const double weights =
      std::accumulate(order.sources().begin(), order.sources().end(), 0.0,
                      [](double sum, const auto& source) { return sum + source.weight; });
  for (std::size_t i = 0; i < sets.size(); ++i) {
    sets[i].share = order.sources()[i].weight / weights;
    sets[i].num_samples = samples[i];
    sets[i].num_samples_per_epoch = samples[i] / training.num_epochs;
    sets[i].num_passes =
        static_cast<double>(samples[i]) / static_cast<double>(order.sources()[i].size);
  }
}

std::vector<std::string> many_passes(std::span<const DatasetPlan> sets) {
  constexpr double kManyPasses = 50;
  std::vector<std::string> lines;
  for (const DatasetPlan& set : sets)
    if (set.num_records > 0 && set.num_passes > kManyPasses)
      lines.push_back(fmt::format(
          "data set {}: the run goes {:.0f} times through its {} records and will know them by "
          "heart; shorten it (training.num_epochs, training.steps_per_epoch), or add data",
          set.name, set.num_passes, output::grouped_digits(set.num_records)));
  return lines;
}

std::vector<ModulePlan> plan_modules(const RunConfig& config, models::VideoLlama& model) {
  std::vector<ModulePlan> modules;
  const auto add_frozen = [&](const std::string& name, const nn::ParameterList& parameters) {
    modules.push_back(
        {name, nn::num_elements(parameters), false, config::name_of(config.model.precision), 0});
  };
  for (models::Branch& branch : model.branches()) {
    nn::ParameterList encoders, resampler;
    branch.declare_encoders(encoders);
    branch.declare_resampler(resampler);
    const auto is_of_encoder = [](const nn::Parameter& entry) {
      return !models::module_of(entry.name);
    };
    std::ranges::copy_if(resampler, std::back_inserter(encoders), is_of_encoder);
    std::erase_if(resampler, is_of_encoder);
    // What of the encoder trains is listed by its module.
    const auto trained = model.trainable_parameters();
    std::erase_if(encoders, [&trained](const nn::Parameter& entry) {
      return std::ranges::find(trained, entry.tensor, &nn::Parameter::tensor) != trained.end();
    });
    const auto module = branch.names().resampler;
    if (!encoders.empty()) add_frozen(branch.names().encoders, encoders);
    if (module && !model.trains(module)) add_frozen(config::name_of(*module), resampler);
  }
  nn::ParameterList language_model;
  model.language_model().declare(language_model);
  constexpr auto whole = models::ModuleName::language_model;
  if (!model.trains(whole)) add_frozen(config::name_of(whole), language_model);

  const auto add_by_module = [&](const nn::ParameterList& parameters, bool trained) {
    for (const nn::Parameter& parameter : parameters) {
      const models::ModuleName module = models::module_of(parameter.name).value();
      if (model.trains(module) != trained) continue;
      const std::string name = config::name_of(module);
      const auto known = std::ranges::find(modules, name, &ModulePlan::name);
      if (known == modules.end())
        modules.push_back({name, parameter.num_elements(), trained, "fp32",
                           trained ? peak_rate(model, module, config.schedule) : 0});
      else
        known->num_parameters += parameter.num_elements();
    }
  };
  add_by_module(model.branch_parameters(), false);
  add_by_module(model.trainable_parameters(), true);
  return modules;
}

namespace {

// What the media of a sample take in all branches: of frames as many as the data set takes, of
// whole sounds one piece.
std::int64_t media_tokens(const samples::ModelInput& input, const datasets::DatasetConfig& set,
                          const samples::AudioClipConfig& sound) {
  std::vector<std::int64_t> of_branches(input.branches.size());
  for (const auto& encoder : input.encoders) {
    const auto* hears = std::get_if<samples::SoundInput>(&encoder.reads);
    const std::int64_t num_units =
        hears == nullptr ? set.num_frames : (hears->takes_clips ? sound.num_clips : 1);
    std::int64_t& tokens = of_branches[encoder.branch];
    tokens = std::max(tokens, input.branches[encoder.branch].room(num_units).num_tokens);
  }
  return std::accumulate(of_branches.begin(), of_branches.end(), std::int64_t{0});
}

}  // namespace

std::int64_t longest_sequence(const models::ModelConfig& model, const datasets::DataConfig& data) {
  const samples::ModelInput input = models::model_input(model);
  std::int64_t longest = 0;
  for (const auto& set : data.sets)
    longest = std::max(longest, datasets::dataset_format(set.format).has_conversations
                                    ? data.conversations.max_tokens
                                    : 1 + media_tokens(input, set, data.media_settings().sound) +
                                          data.captions.max_tokens);
  return longest;
}

MemoryEstimate plan_memory(const RunConfig& config, models::VideoLlama& model,
                           const RankCounts& ranks) {
  std::int64_t most_frames = 1;
  for (const auto& set : config.data.sets) most_frames = std::max(most_frames, set.num_frames);
  const std::int64_t num_micro_batches =
      ranks.num_ranks * config.training.num_micro_steps(ranks.num_ranks);
  const std::int64_t batch = divided_up(config.training.batch_size, num_micro_batches);
  const BatchShape shape{.num_tokens = batch * longest_sequence(config.model, config.data),
                         .num_frames = batch * most_frames,
                         .num_samples = batch};
  const auto modules = plan_modules(config, model);
  return estimate_memory(config.model, model.language_model().config(), count(modules, false),
                         count(modules, true), shape, sharding_of(config.distributed, ranks));
}

std::string plan_tables(const RunConfig& config, models::VideoLlama& model, const RankCounts& ranks,
                        const std::string& device, std::span<const DatasetPlan> sets,
                        datasets::Mixing mixing) {
  return plan_table(config, device) + "\n" + parameter_table(plan_modules(config, model)) + "\n" +
         data_table(sets, mixing) + "\n" +
         memory_table(plan_memory(config, model, ranks), sharding_of(config.distributed, ranks));
}

std::string startup_report(const RunConfig& config, models::VideoLlama& model,
                           const RankCounts& ranks, const datasets::Mixture& data,
                           const datasets::SampleOrder& order) {
  return "Configuration\n" + config::dump(config) + "\n" +
         plan_tables(config, model, ranks, model.device().str(), plan_datasets(config, data, order),
                     order.settings().mixing);
}

}  // namespace vllama::train
