#include "train/export/saved_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "checkpoint/manifest.h"
#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "core/log.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfigFile = "config.yaml";
constexpr const char* kTrainedFile = "trainable.safetensors";
constexpr const char* kCheckpoints = "checkpoints";
constexpr const char* kBest = "best";

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

RunConfig read_config(config::Tree tree, const std::vector<std::string>& overrides) {
  for (const std::string& assignment : overrides) config::apply_override(tree, assignment);
  return config::read<RunConfig>(tree);
}

SavedCheckpoint open_step(const fs::path& step, const std::vector<std::string>& overrides) {
  const auto contents = checkpoint::load_step_files(step, {kConfigFile, kStateFile, kTrainedFile});
  const std::string name = (step / kConfigFile).string();
  return {.path = step,
          .config = read_config(config::load_text(contents.texts.at(kConfigFile), name), overrides),
          .progress = read_progress(contents),
          .metrics = read_state_metrics(contents.texts.at(kStateFile))};
}

std::vector<checkpoint::StepDirectory> steps_of(const fs::path& run) {
  const auto steps = checkpoint::list_steps(run / kCheckpoints);
  if (steps.empty())
    throw UserError(
        fmt::format("'{}' holds no checkpoint; name the folder of a run that has saved "
                    "one, or a step's folder",
                    (run / kCheckpoints).string()));
  return steps;
}

SavedCheckpoint open_newest(const fs::path& run, const std::vector<std::string>& overrides) {
  const auto steps = steps_of(run);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const auto damage =
        checkpoint::damage_of_files(step->path, {kConfigFile, kStateFile, kTrainedFile});
    if (!damage) return open_step(step->path, overrides);
    log::warn("the checkpoint '{}' is damaged and is skipped: {}", step->path.string(), *damage);
  }
  throw UserError(
      fmt::format("all checkpoints in '{}' are damaged", (run / kCheckpoints).string()));
}

SavedCheckpoint open_best(const fs::path& run, const std::vector<std::string>& overrides) {
  std::optional<SavedCheckpoint> best;
  const auto steps = steps_of(run);
  for (const auto& step : steps) {
    const auto damage =
        checkpoint::damage_of_files(step.path, {kConfigFile, kStateFile, kTrainedFile});
    if (damage) {
      log::warn("the checkpoint '{}' is damaged and is skipped: {}", step.path.string(), *damage);
      continue;
    }
    SavedCheckpoint candidate = open_step(step.path, overrides);
    const CheckpointConfig& rule = candidate.config.checkpoints;
    const auto metric = candidate.metrics.find(rule.best_metric);
    if (metric == candidate.metrics.end()) continue;
    const auto best_metric = best ? best->metrics.find(rule.best_metric) : metric;
    const bool is_better = !best || metric->second == best_metric->second ||
                           (metric->second < best_metric->second) == (rule.best_is == "lowest");
    if (is_better) best = std::move(candidate);
  }
  if (!best)
    throw UserError(fmt::format(
        "no checkpoint in '{}' has a metric to be compared by; name a step's folder instead",
        (run / kCheckpoints).string()));
  log::info("the best step of '{}' is '{}'", run.string(), best->path.string());
  return *std::move(best);
}

}  // namespace

std::string SavedCheckpoint::trained_file() const {
  return progress ? (path / kTrainedFile).string() : std::string();
}

SavedCheckpoint find_checkpoint(const fs::path& path, const std::vector<std::string>& overrides) {
  const fs::path plain = path.has_filename() ? path : path.parent_path();
  if (is_folder(plain / kCheckpoints)) return open_newest(plain, overrides);
  if (is_folder(plain)) {
    if (is_there(plain / checkpoint::kManifestName)) return open_step(plain, overrides);
    throw UserError(
        fmt::format("'{}' is neither a run's folder (which has '{}') nor a saved step "
                    "(which has '{}')",
                    plain.string(), kCheckpoints, checkpoint::kManifestName));
  }
  if (plain.filename() == kBest && is_folder(plain.parent_path() / kCheckpoints))
    return open_best(plain.parent_path(), overrides);
  if (!is_there(plain)) throw UserError(fmt::format("'{}' does not exist", plain.string()));
  if (plain.extension() == ".yaml" || plain.extension() == ".yml")
    return {.path = plain, .config = read_config(config::load_file(plain), overrides)};
  throw UserError(
      fmt::format("'{}' is no checkpoint: name a step's folder, a run's folder, RUN/best "
                  "or a RUN.yaml that names the weights",
                  plain.string()));
}

}  // namespace vllama::train
