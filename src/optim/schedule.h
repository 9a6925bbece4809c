// The learning rate of every step, as a pure function of its number.
#pragma once

#include <cstdint>

#include "config/fields.h"

namespace vllama::optim {

// How the rate falls after the warm-up.
enum class ScheduleKind { cosine, by_epoch };
constexpr auto names_of(ScheduleKind) {
  return config::EnumNames<ScheduleKind, 2>{{{ScheduleKind::cosine, "linear_warmup_cosine_lr"},
                                             {ScheduleKind::by_epoch, "linear_warmup_step_lr"}}};
}

struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::cosine;
  double peak_learning_rate = 1e-4;
  double min_learning_rate = 8e-5;
  double warmup_learning_rate = 1e-6;
  std::int64_t warmup_steps = 0;
  bool cosine_after_warmup = false;
  double decay_rate = 1;

  template <class Visitor>
  void visit(Visitor&& field) {
    using config::AtLeast, config::Range;
    field("kind", kind, "how the rate falls after the warm-up");
    field("peak_learning_rate", peak_learning_rate, "the rate that the warm-up rises to",
          Range{0.0, 1.0});
    field("min_learning_rate", min_learning_rate, "the rate at the end", Range{0.0, 1.0});
    field("warmup_learning_rate", warmup_learning_rate,
          "the rate of step 0; negative: the peak, so no rise", Range{-1.0, 1.0});
    field("warmup_steps", warmup_steps, "optimizer steps of linear rise", AtLeast<std::int64_t>{0});
    field("cosine_after_warmup", cosine_after_warmup,
          "start the cosine at the end of the warm-up (false: at step 0, as published)");
    field("decay_rate", decay_rate, "linear_warmup_step_lr: factor per epoch", Range{0.0, 1.0});
  }
};

// How long a run is; an epoch is a number of optimizer steps, not a pass over data.
struct RunLength {
  std::int64_t num_epochs;
  std::int64_t steps_per_epoch;
};

// The rate to use for optimizer step `step`, counted from 0 over the whole run. With a = peak, m =
// min, w = warm-up rate, W = warm-up steps and N = steps of the run:
//   step < W:             min(a, w + (a - w) * step / W)
//   cosine, step >= W:    m + (a - m) / 2 * (1 + cos(pi * step / N))
//   with cosine_after_warmup the fraction is (step - W) / (N - W)
//   step_lr, step >= W:   a in epoch 0, then max(m, a * decay_rate^epoch); its warm-up ends with
//                         epoch 0 at the latest
// Published training does not shift the cosine, so the rate drops at the end of its warm-up.
// Beyond the last step the cosine stays at its minimum.
double learning_rate(const ScheduleConfig& config, const RunLength& length, std::int64_t step);

}  // namespace vllama::optim
