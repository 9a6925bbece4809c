#include "eval/scores/measurement.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace vllama::eval {

Measurement empty_measurement(const std::string& name, const std::vector<Prediction>& predictions) {
  if (predictions.empty())
    throw UserError(fmt::format("{}: there are no questions to score", name));
  Measurement measurement{.name = name};
  for (const Prediction& prediction : predictions) {
    measurement.ids.push_back(prediction.id);
    measurement.is_missing.push_back(prediction.is_missing());
  }
  return measurement;
}

Measurement mean_measurement(const std::string& name, const std::vector<Prediction>& predictions,
                             std::vector<double> values, std::optional<Scale> scale) {
  VLLAMA_ASSERT(values.size() == predictions.size(), name + ": one value per prediction");
  Measurement measurement = empty_measurement(name, predictions);
  measurement.num_statistics = 2;
  for (const double value : values)
    measurement.statistics.insert(measurement.statistics.end(), {value, 1.0});
  measurement.value = ratio_of_sums;
  measurement.scale = scale;
  measurement.num_counted = [](std::span<const double> sums) { return sums[1]; };
  measurement.per_sample = std::move(values);
  return measurement;
}

std::vector<std::string> types_of(const std::vector<Prediction>& predictions) {
  std::vector<std::string> types;
  for (const Prediction& prediction : predictions) types.push_back(prediction.type);
  const bool has_types = std::ranges::any_of(types, [](const auto& type) { return !type.empty(); });
  return has_types ? types : std::vector<std::string>{};
}

double ratio_of_sums(std::span<const double> sums) {
  return sums[0] / sums[1];
}

}  // namespace vllama::eval
