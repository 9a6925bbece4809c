#include "train/trainer.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "core/error.h"
#include "optim/gradient_norm.h"
#include "train/step_health.h"

namespace vllama::train {
namespace {

constexpr const char* kTrainable = "trainable";
constexpr const char* kOptimizer = "optimizer";

const checkpoint::NamedTensors& group(const std::map<std::string, checkpoint::NamedTensors>& state,
                                      const std::string& name) {
  const auto found = state.find(name);
  if (found == state.end())
    throw UserError(fmt::format("the checkpoint has no {}.safetensors", name));
  return found->second;
}

}  // namespace

std::vector<optim::TrainedParameter> trained_parameters(models::VideoLlama& model,
                                                        const optim::ScheduleConfig& schedule) {
  std::map<std::string, double> factors;
  for (const models::TrainedModule& trained : model.trained_modules()) {
    const double own_peak = trained.learning_rate;
    if (own_peak > 0 && schedule.peak_learning_rate == 0)
      throw UserError(
          fmt::format("model.trainable: '{}' has a learning rate, but schedule.peak_learning_rate, "
                      "which all rates follow in proportion, is 0",
                      trained.module));
    factors[trained.module] = own_peak > 0 ? own_peak / schedule.peak_learning_rate : 1;
  }
  std::vector<optim::TrainedParameter> parameters;
  for (const nn::Parameter& parameter : model.trainable_parameters())
    parameters.push_back(
        {parameter.name, *parameter.tensor,
         optim::decays(parameter.name, static_cast<std::int64_t>(parameter.shape.size())),
         factors.at(models::module_of(parameter.name))});
  return parameters;
}

Trainer::Trainer(const RunConfig& config, models::VideoLlama& model)
    : config_(config),
      model_(model),
      parameters_(trained_parameters(model, config.schedule)),
      optimizer_(parameters_, config.optimizer) {}

void judge_alone(StepMetrics& metrics) {
  StepHealth({}, {}).judge(metrics, "");
}

StepResult Trainer::step(std::int64_t step, const NextBatch& next_batch, const StepJudge& judge) {
  const TrainingConfig& training = config_.training;
  // 1. Gradients of all micro-batches, summed over their target tokens.
  StepResult result = accumulate_gradients(next_batch);
  StepMetrics& metrics = result.metrics;
  metrics.step = step + 1;
  metrics.learning_rate =
      optim::learning_rate(config_.schedule, {training.num_epochs, training.steps_per_epoch}, step);

  // 2. Their mean over the target tokens of the whole batch; without any, not a number.
  const auto num_targets = static_cast<double>(metrics.num_target_tokens);
  const at::Tensor& gradients = parameters_.flat_gradients();
  gradients.div_(num_targets);
  metrics.loss /= num_targets;

  // 3. Usable, and not longer than allowed.
  metrics.gradient_norm = optim::gradient_norm(gradients);
  judge(metrics);
  if (metrics.skipped) return result;
  const double factor = optim::clipping_factor(metrics.gradient_norm, training.max_gradient_norm);
  if (factor < 1) gradients.mul_(factor);

  // 4. The update.
  optimizer_.step(metrics.learning_rate);
  return result;
}

StepResult Trainer::accumulate_gradients(const NextBatch& next_batch) {
  parameters_.zero_gradients();
  StepResult result;
  StepMetrics& metrics = result.metrics;
  for (std::int64_t micro = 0; micro < config_.training.accumulation_steps; ++micro) {
    const datasets::LoadedBatch loaded = next_batch();
    const processors::Batch& batch = loaded.batch;
    for (const auto& sample : loaded.dropped) ++metrics.dropped[sample.reason];
    result.dropped.insert(result.dropped.end(), loaded.dropped.begin(), loaded.dropped.end());
    metrics.num_samples += batch.size();
    metrics.num_shortened += batch.num_shortened;
    metrics.num_tokens += batch.token_ids_T.numel();
    metrics.num_target_tokens += batch.num_targets;
    if (batch.num_targets > 0)
      metrics.loss +=
          model_.loss(batch, config_.model.dropout, nn::Gradients::accumulate).item<double>();
  }
  return result;
}

std::map<std::string, checkpoint::NamedTensors> Trainer::state() const {
  return {{kTrainable, parameters_.named_parameters()}, {kOptimizer, optimizer_.state()}};
}

void Trainer::load_state(const std::map<std::string, checkpoint::NamedTensors>& state) {
  const checkpoint::NamedTensors& saved = group(state, kTrainable);
  std::string problems;
  const auto own = parameters_.named_parameters();
  for (const auto& [name, tensor] : own) {
    const auto found = saved.find(name);
    if (found == saved.end())
      problems += fmt::format("\n  missing: {}", name);
    else if (found->second.sizes() != tensor.sizes())
      problems +=
          fmt::format("\n  {}: [{}] in the checkpoint, [{}] in the model", name,
                      fmt::join(found->second.sizes(), ", "), fmt::join(tensor.sizes(), ", "));
  }
  for (const auto& [name, tensor] : saved)
    if (!own.contains(name)) problems += fmt::format("\n  unexpected: {}", name);
  if (!problems.empty())
    throw UserError("the checkpoint does not fit the configured model:" + problems);
  optimizer_.load_state(group(state, kOptimizer));
  for (const auto& [name, tensor] : own) tensor.copy_(saved.at(name));
}

}  // namespace vllama::train
