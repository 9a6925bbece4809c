#include "optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.h"

namespace vllama::optim {
namespace {

double warmup(const ScheduleConfig& config, std::int64_t step) {
  const double peak = config.peak_learning_rate;
  const double start = config.warmup_learning_rate < 0 ? peak : config.warmup_learning_rate;
  return std::min(peak, start + (peak - start) * static_cast<double>(step) /
                                    static_cast<double>(config.warmup_steps));
}

double cosine(const ScheduleConfig& config, const RunLength& length, std::int64_t step) {
  const std::int64_t start = config.cosine_after_warmup ? config.warmup_steps : 0;
  const std::int64_t span = length.num_epochs * length.steps_per_epoch - start;
  const double fraction =
      span <= 0 ? 1 : std::min(1.0, static_cast<double>(step - start) / static_cast<double>(span));
  return config.min_learning_rate + (config.peak_learning_rate - config.min_learning_rate) * 0.5 *
                                        (1 + std::cos(std::numbers::pi * fraction));
}

double falling_by_epoch(const ScheduleConfig& config, const RunLength& length, std::int64_t step) {
  const std::int64_t epoch = step / length.steps_per_epoch;
  if (epoch == 0) return config.peak_learning_rate;
  return std::max(config.min_learning_rate,
                  config.peak_learning_rate * std::pow(config.decay_rate, epoch));
}

}  // namespace

double learning_rate(const ScheduleConfig& config, const RunLength& length, std::int64_t step) {
  VLLAMA_ASSERT(step >= 0 && length.num_epochs > 0 && length.steps_per_epoch > 0,
                "steps count from 0 and a run has at least one");
  const bool by_epoch = config.kind == ScheduleKind::by_epoch;
  if (step < config.warmup_steps && !(by_epoch && step >= length.steps_per_epoch))
    return warmup(config, step);
  return by_epoch ? falling_by_epoch(config, length, step) : cosine(config, length, step);
}

}  // namespace vllama::optim
