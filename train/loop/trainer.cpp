#include "train/loop/trainer.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ranges>

#include "core/error.h"
#include "core/terminal_text.h"
#include "models/modules.h"
#include "optim/gradient_norm.h"
#include "train/watch/step_health.h"

namespace vllama::train {
namespace {

constexpr const char* kTrainable = "trainable";
constexpr const char* kOptimizer = "optimizer";

// Gradients that are worth adding up while backward goes on: those of the layers of a language
// model that trains are large, and backward reaches them one after the other. Adapters are too
// small, and what the published training trains comes at the end of backward.
bool comes_early(const optim::FlatSlot& slot) {
  return slot.decays && models::module_of(slot.name) == models::ModuleName::language_model &&
         slot.name.find(".layers.") != std::string::npos;
}

// Adapters of a large model have hundreds of names.
constexpr std::size_t kMaxNamed = 20;

}  // namespace

std::vector<optim::TrainedParameter> trained_parameters(models::VideoLlama& model,
                                                        const optim::ScheduleConfig& schedule) {
  std::map<models::ModuleName, double> factors;
  for (const models::TrainedModule& trained : model.trained_modules()) {
    const double own_peak = trained.learning_rate;
    VLLAMA_ASSERT(own_peak == 0 || schedule.peak_learning_rate > 0, "a rule of run_rules.h");
    factors[trained.module] = own_peak > 0 ? own_peak / schedule.peak_learning_rate : 1;
  }
  std::vector<optim::TrainedParameter> parameters;
  for (const nn::Parameter& parameter : model.trainable_parameters())
    parameters.push_back(
        {parameter.name, *parameter.tensor,
         optim::decays(parameter.name, static_cast<std::int64_t>(parameter.shape.size())),
         factors.at(models::module_of(parameter.name).value())});
  return parameters;
}

std::string misfit_of(const std::map<std::string, weights::NamedTensors>& state,
                      const nn::ParameterList& trained) {
  for (const char* name : {kTrainable, kOptimizer})
    if (!state.contains(name)) return fmt::format("\n  it has no {}.safetensors", name);
  weights::NamedTensors left = state.at(kTrainable);
  std::vector<std::string> lines;
  for (const nn::Parameter& parameter : trained) {
    const auto found = left.find(parameter.name);
    if (found == left.end()) {
      lines.push_back("missing: " + parameter.name);
      continue;
    }
    if (found->second.sizes() != parameter.shape)
      lines.push_back(fmt::format("{}: [{}] in the checkpoint, [{}] in the model", parameter.name,
                                  fmt::join(found->second.sizes(), ", "),
                                  fmt::join(parameter.shape, ", ")));
    left.erase(found);
  }
  for (const auto& [name, tensor] : left) lines.push_back("unexpected: " + visible(name));
  std::string text;
  for (const std::string& line : lines | std::views::take(kMaxNamed)) text += "\n  " + line;
  if (lines.size() > kMaxNamed) text += fmt::format("\n  and {} more", lines.size() - kMaxNamed);
  return text;
}

Trainer::Trainer(const RunConfig& config, models::VideoLlama& model,
                 distributed::Communicator& ranks)
    : config_(config),
      model_(model),
      ranks_(ranks),
      parameters_(trained_parameters(model, config.schedule),
                  StepTotals::num_elements(ranks.num_ranks())),
      gradient_sum_(parameters_, ranks, &comes_early),
      optimizer_(parameters_, config.optimizer,
                 config.distributed.shard_optimizer ? optim::shard_of(parameters_, ranks)
                                                    : optim::whole_of(parameters_)) {}

void judge_alone(StepMetrics& metrics) {
  StepHealth({}, {}).judge(metrics, "");
}

StepResult Trainer::step(std::int64_t step, const NextBatch& next_batch, const Report& report,
                         const StepJudge& judge) {
  const TrainingConfig& training = config_.training;
  StepResult result;
  StepMetrics& metrics = result.metrics;
  // 1. Gradients of all micro-batches of all ranks, summed over their target tokens.
  StepTotals own = accumulate_gradients(step, next_batch, result);
  own.reports = {report ? report() : RankReport{}};
  const StepTotals totals = add_up_ranks(step, own);
  result.reports = totals.reports;
  result.num_dropped = totals.num_dropped;
  metrics.step = step + 1;
  metrics.num_samples = totals.num_samples;
  metrics.num_shortened = totals.num_shortened;
  metrics.num_tokens = totals.num_tokens;
  metrics.num_target_tokens = totals.num_target_tokens;
  metrics.learning_rate =
      optim::learning_rate(config_.schedule, {training.num_epochs, training.steps_per_epoch}, step);

  // 2. Their mean over the target tokens of the whole batch; without any, not a number.
  const auto num_targets = static_cast<double>(metrics.num_target_tokens);
  const at::Tensor& gradients = parameters_.flat_gradients();
  gradients.div_(num_targets);
  metrics.loss = totals.loss / num_targets;

  // 3. Usable, and not longer than allowed.
  metrics.gradient_norm = optim::gradient_norm(gradients);
  judge(metrics);
  if (metrics.skipped) return result;
  const double factor = optim::clipping_factor(metrics.gradient_norm, training.max_gradient_norm);
  if (factor < 1) gradients.mul_(factor);

  // 4. The update.
  optimizer_.step(metrics.learning_rate);
  optimizer_.share_update(ranks_,
                          fmt::format("step {}: exchange of the updated parameters", metrics.step));
  return result;
}

StepTotals Trainer::accumulate_gradients(std::int64_t step, const NextBatch& next_batch,
                                         StepResult& result) {
  parameters_.zero_gradients();
  StepTotals totals;
  const std::int64_t num_micro_steps = config_.training.num_micro_steps(ranks_.num_ranks());
  for (std::int64_t micro = 0; micro < num_micro_steps; ++micro) {
    ranks_.enter(fmt::format("step {}: waiting for data", step + 1));
    const datasets::LoadedBatch loaded = next_batch();
    const samples::Batch& batch = loaded.batch;
    result.dropped.insert(result.dropped.end(), loaded.dropped.begin(), loaded.dropped.end());
    totals.num_dropped += static_cast<std::int64_t>(loaded.dropped.size());
    totals.num_samples += batch.size();
    totals.num_shortened += batch.num_shortened;
    totals.num_tokens += batch.token_ids_T.numel();
    totals.num_target_tokens += batch.num_targets;
    ranks_.enter(fmt::format("step {}: forward and backward", step + 1));
    if (micro + 1 == num_micro_steps)
      gradient_sum_.expect_last_backward(fmt::format("step {}: sum of the gradients", step + 1));
    if (batch.num_targets > 0)
      totals.loss +=
          model_.loss(batch, config_.model.dropout, nn::Gradients::accumulate).item<double>();
    else
      model_.complete_gathers();
  }
  return totals;
}

StepTotals Trainer::add_up_ranks(std::int64_t step, const StepTotals& own) {
  const at::Tensor totals = parameters_.gradients_and_extra().slice(0, parameters_.num_elements());
  totals.copy_(own.to_tensor(ranks_.rank(), ranks_.num_ranks()));
  gradient_sum_.finish();
  ranks_.enter(fmt::format("step {}: update", step + 1));
  return StepTotals::from_tensor(totals);
}

void Trainer::copy_state_of_first() {
  at::Tensor values = parameters_.flat_parameters();
  ranks_.broadcast(values, "sharing the trained parameters");
  optimizer_.copy_from_first(ranks_);
}

std::map<std::string, weights::NamedTensors> Trainer::state() const {
  auto optimizer_state = optimizer_.state_on_first(ranks_);
  if (!ranks_.is_first()) return {};
  return {{kTrainable, parameters_.named_parameters()}, {kOptimizer, std::move(optimizer_state)}};
}

void Trainer::load_state(const std::map<std::string, weights::NamedTensors>& state) {
  if (const std::string misfit = misfit_of(state, model_.trainable_parameters()); !misfit.empty())
    throw UserError("the checkpoint does not fit the configured model:" + misfit);
  const weights::NamedTensors& saved = state.at(kTrainable);
  optimizer_.load_state(state.at(kOptimizer));
  for (const auto& [name, tensor] : parameters_.named_parameters()) tensor.copy_(saved.at(name));
}

}  // namespace vllama::train
