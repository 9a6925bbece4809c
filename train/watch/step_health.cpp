#include "train/watch/step_health.h"

#include <cmath>

namespace vllama::train {

std::optional<StepProblem> unusable(const StepMetrics& metrics) {
  if (metrics.num_target_tokens == 0) return StepProblem::no_targets;
  if (!std::isfinite(metrics.loss)) return StepProblem::nonfinite_loss;
  if (!std::isfinite(metrics.gradient_norm)) return StepProblem::nonfinite_gradient;
  return std::nullopt;
}

void StepHealth::judge(StepMetrics& metrics, const std::string& kind) {
  metrics.problem = unusable(metrics);
  metrics.skipped = metrics.problem.has_value();
  if (settings_.spike_z_score > 0 && metrics.num_target_tokens > 0 && std::isfinite(metrics.loss)) {
    metrics.loss_z = spikes_.add(kind, metrics.loss);
    if (!metrics.problem && metrics.loss_z > settings_.spike_z_score) {
      metrics.problem = StepProblem::loss_spike;
      metrics.skipped = settings_.skip_spikes;
    }
  }
  num_skipped_in_a_row_ = metrics.skipped ? num_skipped_in_a_row_ + 1 : 0;
}

}  // namespace vllama::train
