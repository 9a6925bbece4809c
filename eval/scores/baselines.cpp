#include "eval/scores/baselines.h"

#include <algorithm>
#include <map>

namespace vllama::eval {

void add_option_baselines(Measurement& measurement, const std::vector<Prediction>& predictions) {
  for (const Prediction& prediction : predictions) {
    measurement.chance.push_back(1 / static_cast<double>(prediction.options.size()));
    measurement.right_answers.push_back(prediction.references.front());
  }
}

std::optional<double> chance_level(const Measurement& measurement,
                                   const std::vector<std::size_t>& places) {
  if (measurement.chance.empty() || places.empty()) return std::nullopt;
  double sum = 0;
  for (const std::size_t place : places) sum += measurement.chance[place];
  return sum / static_cast<double>(places.size());
}

std::optional<double> majority_level(const Measurement& measurement,
                                     const std::vector<std::size_t>& places) {
  if (measurement.right_answers.empty() || places.empty()) return std::nullopt;
  std::map<std::string, std::map<std::string, std::int64_t>> counts;  // by part and answer
  for (const std::size_t place : places) {
    const std::string& part = measurement.parts.empty() ? std::string() : measurement.parts[place];
    ++counts[part][measurement.right_answers[place]];
  }
  std::int64_t num_right = 0;
  for (const auto& [part, answers] : counts)
    num_right += std::ranges::max_element(answers, {}, [](const auto& entry) {
                   return entry.second;
                 })->second;
  return static_cast<double>(num_right) / static_cast<double>(places.size());
}

}  // namespace vllama::eval
