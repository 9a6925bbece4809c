// When a run saves checkpoints, and which of them it keeps.
#pragma once

#include "config/fields.h"

namespace vllama::train {

// Which value of a metric is the best.
enum class BestValue { lowest, highest };
constexpr auto names_of(BestValue) {
  return config::EnumNames<BestValue, 2>{
      {{BestValue::lowest, "lowest"}, {BestValue::highest, "highest"}}};
}

// A checkpoint stays as long as any of the three rules keeps it; the newest one always stays.
struct CheckpointConfig {
  std::int64_t every_steps = 500;
  std::int64_t keep_last = 3;
  std::int64_t keep_every_steps = 0;
  std::int64_t keep_best = 0;
  std::string best_metric = "loss";
  BestValue best_is = BestValue::lowest;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("every_steps", every_steps, "optimizer steps between checkpoints",
          config::AtLeast<std::int64_t>{1});
    field("keep_last", keep_last, "the newest so many checkpoints stay",
          config::AtLeast<std::int64_t>{1});
    field("keep_every_steps", keep_every_steps,
          "checkpoints of steps that are multiples of this stay; 0: none",
          config::AtLeast<std::int64_t>{0});
    field("keep_best", keep_best, "so many checkpoints with the best metric stay; 0: none",
          config::AtLeast<std::int64_t>{0});
    field(
        "best_metric", best_metric,
        "what keep_best compares: loss, the mean since the checkpoint before, or a value that eval "
        "gives, as eval/<task>/<metric>");
    field("best_is", best_is, "which value of the metric is the best");
  }
};

}  // namespace vllama::train
