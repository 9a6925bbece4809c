#include "toy_world/senses/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "optim/gradient_norm.h"
#include "optim/schedule.h"

namespace vllama::toy {
namespace {

constexpr double kLargestNorm = 1;
constexpr double kFinalShareOfRate = 0.05;
constexpr double kSecondsBetweenLines = 15;

optim::FlatParameters flatten(const nn::ParameterList& parameters) {
  std::vector<optim::TrainedParameter> trained;
  for (const nn::Parameter& parameter : parameters)
    trained.push_back(
        {parameter.name, *parameter.tensor,
         optim::decays(parameter.name, static_cast<std::int64_t>(parameter.shape.size()))});
  return optim::FlatParameters(trained);
}

class Progress {
 public:
  explicit Progress(const TrainingSettings& settings) : settings_(settings) {}

  void add(std::int64_t step, double loss) {
    sum_ += loss;
    ++count_;
    const Clock::time_point now = Clock::now();
    if (seconds(last_line_, now) < kSecondsBetweenLines && step + 1 < settings_.num_steps) return;
    const double per_step = seconds(begin_, now) / static_cast<double>(step + 1);
    log::info("{}: step {}/{}, loss {:.4f}, {:.0f} ms a step, {:.0f} s left", settings_.name,
              step + 1, settings_.num_steps, sum_ / static_cast<double>(count_), 1000 * per_step,
              per_step * static_cast<double>(settings_.num_steps - step - 1));
    last_line_ = now;
    sum_ = 0;
    count_ = 0;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
  }

  TrainingSettings settings_;
  Clock::time_point begin_ = Clock::now(), last_line_ = begin_;
  double sum_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace

void update(optim::FlatParameters& parameters, optim::AdamW& optimizer, double learning_rate,
            const std::string& step) {
  at::Tensor gradients = parameters.flat_gradients();
  const double norm = optim::gradient_norm(gradients);
  if (!std::isfinite(norm)) throw RunFailure(fmt::format("{}: a gradient is not finite", step));
  gradients.mul_(optim::clipping_factor(norm, kLargestNorm));
  optimizer.step(learning_rate);
}

std::vector<double> train(const nn::ParameterList& parameters, const TrainingSettings& settings,
                          const std::function<at::Tensor(std::int64_t)>& loss_of_step) {
  optim::FlatParameters flat = flatten(parameters);
  optim::AdamW optimizer(flat, {.weight_decay = settings.weight_decay});
  const double peak = settings.peak_learning_rate;
  const optim::ScheduleConfig schedule{
      .peak_learning_rate = peak,
      .min_learning_rate = kFinalShareOfRate * peak,
      .warmup_learning_rate = 0,
      .warmup_steps = std::min(settings.warmup_steps, settings.num_steps / 2),
      .cosine_after_warmup = true};
  std::vector<double> losses;
  Progress progress(settings);
  for (std::int64_t step = 0; step < settings.num_steps; ++step) {
    flat.zero_gradients();
    const at::Tensor loss = loss_of_step(step);
    loss.backward();
    update(flat, optimizer, optim::learning_rate(schedule, {1, settings.num_steps}, step + 1),
           fmt::format("{}, step {}", settings.name, step + 1));
    losses.push_back(loss.item<double>());
    progress.add(step, losses.back());
  }
  for (const nn::Parameter& parameter : parameters)
    *parameter.tensor = parameter.tensor->detach().clone();
  return losses;
}

}  // namespace vllama::toy
