#include "train/run/run_state.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace vllama::train {
namespace {

using Json = nlohmann::ordered_json;

Json parse(const std::string& text) {
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

bool is_count(const Json& json, const char* key) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return json.is_object() && json.contains(key) && json.at(key).is_number_unsigned() &&
         json.at(key).get<std::uint64_t>() <= kMax;
}

std::map<std::string, MetricSum> read_sums(const Json& state) {
  std::map<std::string, MetricSum> sums;
  if (!state.contains("metric_sums")) return sums;
  for (const auto& [name, entry] : state.at("metric_sums").items()) {
    if (!is_count(entry, "steps") || !entry.contains("sum") || !entry.at("sum").is_number())
      throw UserError(
          fmt::format("the checkpoint's {} has a damaged 'metric_sums.{}'", kStateFile, name));
    sums[name] = {.sum = entry.at("sum"), .num_steps = entry.at("steps")};
  }
  return sums;
}

// Checkpoints of earlier versions have none.
StepHealthState read_health(const Json& state) {
  StepHealthState health;
  const auto damaged = [](const std::string& key) {
    return UserError(fmt::format("the checkpoint's {} has a damaged '{}'", kStateFile, key));
  };
  if (state.contains("skipped_in_a_row")) {
    if (!is_count(state, "skipped_in_a_row")) throw damaged("skipped_in_a_row");
    health.num_skipped_in_a_row = state.at("skipped_in_a_row");
  }
  if (!state.contains("recent_losses")) return health;
  if (!state.at("recent_losses").is_object()) throw damaged("recent_losses");
  for (const auto& [kind, losses] : state.at("recent_losses").items()) {
    if (!losses.is_array() || losses.size() > SpikeDetector::kMemory)
      throw damaged("recent_losses." + kind);
    for (const Json& loss : losses) {
      if (!loss.is_number() || !std::isfinite(loss.get<double>()))
        throw damaged("recent_losses." + kind);
      health.recent_losses[kind].push_back(loss);
    }
  }
  return health;
}

}  // namespace

void MetricSum::add(double value) {
  if (!std::isfinite(value)) return;
  sum += value;
  ++num_steps;
}

std::map<std::string, double> mean_metrics(const RunProgress& progress) {
  std::map<std::string, double> means;
  for (const auto& [name, total] : progress.metric_sums)
    if (total.num_steps > 0) means[name] = total.sum / static_cast<double>(total.num_steps);
  return means;
}

std::string state_text(const RunProgress& progress, const std::map<std::string, double>& metrics) {
  Json state{{"step", progress.num_steps_done},
             {"samples", progress.num_samples},
             {"dropped", progress.num_dropped},
             {"metrics", Json::object()},
             {"metric_sums", Json::object()},
             {"skipped_in_a_row", progress.health.num_skipped_in_a_row},
             {"recent_losses", progress.health.recent_losses}};
  for (const auto& [name, value] : metrics)
    if (std::isfinite(value)) state["metrics"][name] = value;
  for (const auto& [name, total] : progress.metric_sums)
    state["metric_sums"][name] = {{"sum", total.sum}, {"steps", total.num_steps}};
  return state.dump(2) + "\n";
}

RunProgress read_progress(const checkpoint::StepContents& contents) {
  const auto text = contents.texts.find(kStateFile);
  const Json state = text == contents.texts.end() ? Json() : parse(text->second);
  for (const char* key : {"step", "samples", "dropped"})
    if (!is_count(state, key))
      throw UserError(fmt::format("the checkpoint's {} does not say '{}'", kStateFile, key));
  return {.num_steps_done = state.at("step"),
          .num_samples = state.at("samples"),
          .num_dropped = state.at("dropped"),
          .metric_sums = read_sums(state),
          .health = read_health(state)};
}

std::map<std::string, double> read_state_metrics(const std::string& text) {
  std::map<std::string, double> metrics;
  const Json state = parse(text);
  if (!state.is_object() || !state.contains("metrics") || !state.at("metrics").is_object())
    return metrics;
  for (const auto& [name, value] : state.at("metrics").items())
    if (value.is_number()) metrics[name] = value;
  return metrics;
}

}  // namespace vllama::train
