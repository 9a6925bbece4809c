#include "train/record/loss_points.h"

#include "train/record/metrics.h"

namespace vllama::train {

std::vector<eval::LossPoint> loss_points(const std::filesystem::path& metrics) {
  std::vector<eval::LossPoint> points;
  if (!std::filesystem::exists(metrics)) return points;
  for (const StepMetrics& step : read_metrics(metrics))
    points.push_back({static_cast<double>(step.step), step.loss});
  return points;
}

}  // namespace vllama::train
