#include "train/run_state.h"

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
             {"metric_sums", Json::object()}};
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
          .metric_sums = read_sums(state)};
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
