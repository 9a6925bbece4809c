#include "train/run/find_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "checkpoint/manifest.h"
#include "checkpoint/step_directory.h"
#include "config/tree.h"
#include "core/error.h"
#include "core/log.h"
#include "train/run/checkpoint_config.h"
#include "train/run/provenance_file.h"
#include "train/run/run_state.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBest = "best";

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool is_step(const fs::path& path) {
  return is_file(path / checkpoint::kManifestName);
}

fs::path folder_around(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

std::optional<std::string> damage_of(const fs::path& step, const std::vector<std::string>& needed) {
  return needed.empty() ? checkpoint::step_damage(step) : checkpoint::damage_of_files(step, needed);
}

// In increasing order; damaged ones are named in the log.
std::vector<fs::path> whole_steps(const fs::path& checkpoints,
                                  const std::vector<std::string>& needed, bool only_newest) {
  const auto steps = checkpoint::list_steps(checkpoints);
  if (steps.empty())
    throw UserError(
        fmt::format("'{}' holds no checkpoint; name the folder of a run that has saved "
                    "one, or a step's folder",
                    checkpoints.string()));
  std::vector<fs::path> whole;
  for (auto step = steps.rbegin(); step != steps.rend() && !(only_newest && !whole.empty());
       ++step) {
    if (const auto damage = damage_of(step->path, needed))
      log::warn("the checkpoint '{}' is damaged and is skipped: {}", step->path.string(), *damage);
    else
      whole.insert(whole.begin(), step->path);
  }
  if (whole.empty())
    throw UserError(fmt::format("all checkpoints in '{}' are damaged", checkpoints.string()));
  return whole;
}

// Only the part of the configuration that says which step is the best.
CheckpointConfig rule_of(const fs::path& step) {
  const auto contents = checkpoint::load_step_files(step, {kConfigFile});
  const config::Tree tree =
      config::load_text(contents.texts.at(kConfigFile), (step / kConfigFile).string());
  const config::Tree* section = tree.find("checkpoints");
  return section == nullptr ? CheckpointConfig{} : config::read<CheckpointConfig>(*section);
}

fs::path best_step(const fs::path& checkpoints, const std::vector<std::string>& needed) {
  fs::path best;
  std::map<std::string, double> metrics_of_best;
  for (const fs::path& step : whole_steps(checkpoints, needed, /*only_newest=*/false)) {
    const CheckpointConfig rule = rule_of(step);
    const auto metrics =
        read_state_metrics(checkpoint::read_step_text(step, kStateFile).value_or(""));
    const auto metric = metrics.find(rule.best_metric);
    if (metric == metrics.end()) continue;
    const auto before = metrics_of_best.find(rule.best_metric);
    if (before != metrics_of_best.end() && metric->second != before->second &&
        (metric->second < before->second) != (rule.best_is == BestValue::lowest))
      continue;
    best = step;
    metrics_of_best = metrics;
  }
  if (best.empty())
    throw UserError(fmt::format(
        "no checkpoint in '{}' has a metric to be compared by; name a step's folder instead",
        checkpoints.string()));
  log::info("the best step of '{}' is '{}'", folder_around(checkpoints).string(), best.string());
  return best;
}

// The folder with the steps of the run that `path` names; empty if it names none.
fs::path checkpoints_of(const fs::path& path) {
  if (is_folder(path / kCheckpoints)) return path / kCheckpoints;
  return path.filename() == kCheckpoints && is_folder(path) ? path : fs::path();
}

}  // namespace

std::vector<std::string> files_in_use() {
  return {kConfigFile, kStateFile, kTrainedFile};
}

std::optional<fs::path> find_step(const fs::path& path, const std::vector<std::string>& needed) {
  const fs::path plain = path.has_filename() ? path : path.parent_path();
  if (is_step(plain)) return plain;
  if (const fs::path checkpoints = checkpoints_of(plain); !checkpoints.empty())
    return whole_steps(checkpoints, needed, /*only_newest=*/true).back();
  const fs::path around = folder_around(plain);
  if (is_file(plain) && is_step(around)) return around;
  const fs::path checkpoints = checkpoints_of(around);
  if (checkpoints.empty()) return std::nullopt;
  // Beside a provenance.json it is the run's own, not one that a user keeps there.
  if (plain.filename() == kConfigFile && is_file(plain) && is_file(around / kProvenanceFile) &&
      !checkpoint::list_steps(checkpoints).empty())
    return whole_steps(checkpoints, needed, /*only_newest=*/true).back();
  std::error_code error;
  if (plain.filename() != kBest || fs::exists(plain, error)) return std::nullopt;
  return best_step(checkpoints, needed);
}

std::optional<fs::path> run_of_step(const fs::path& step) {
  const fs::path checkpoints = fs::absolute(step).lexically_normal().parent_path();
  if (checkpoints.filename() != kCheckpoints) return std::nullopt;
  return checkpoints.parent_path();
}

void find_starting_points(models::WeightFiles& weights) {
  for (std::string* path : {&weights.projection, &weights.vision_checkpoint,
                            &weights.audio_checkpoint, &weights.saved_step}) {
    if (path->empty() || (is_file(*path) && fs::path(*path).filename() == kTrainedFile)) continue;
    if (const auto step = find_step(*path)) *path = (*step / kTrainedFile).string();
  }
}

}  // namespace vllama::train
