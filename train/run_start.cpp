#include "train/run_start.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/terminal_text.h"
#include "train/loop/trainer.h"
#include "train/provenance/provenance_changes.h"
#include "train/provenance/starting_points.h"
#include "train/run/config_change.h"
#include "train/run/find_step.h"

namespace vllama::train {
namespace {

std::string indented(const std::vector<std::string>& lines) {
  return fmt::format("\n  {}", fmt::join(lines, "\n  "));
}

// Where nothing can be put back for --accept-changes, it is not offered.
std::string refusal_of(const std::string& path, const std::vector<std::string>& changes,
                       const std::string& misfit) {
  const std::string mismatch =
      fmt::format("the checkpoint '{}' does not fit the configured model:{}", path, misfit);
  if (changes.empty()) return mismatch + "\nchoose another output_dir";
  return fmt::format("this would train something else than the checkpoint '{}' did:{}\n{}", path,
                     indented(changes),
                     misfit.empty()
                         ? "put it back, choose another output_dir, or resume with --accept-changes"
                         : mismatch +
                               "\nput it back, or choose another output_dir; --accept-changes "
                               "cannot go on with other tensors");
}

const std::string& saved_config(const checkpoint::LoadedStep& step) {
  const auto saved = step.contents.texts.find(kConfigFile);
  if (saved == step.contents.texts.end())
    throw UserError(
        fmt::format("the checkpoint '{}' has no {}", step.directory.path.string(), kConfigFile));
  return saved->second;
}

// Throws UserError that says of each starting point that is gone, and that the checkpoint does not
// replace, what the checkpoint was trained from.
void require_starting_points(const RunStart& start, const models::WeightFiles& weights) {
  if (!start.trained_on) return;
  std::vector<std::string> missing;
  for (const auto& [key, path] :
       starting_points(without_starting_points(weights, start.left_out))) {
    std::error_code error;
    if (std::filesystem::exists(path, error)) continue;
    for (const InputFile& file : start.trained_on->weights)
      if (file.what == "model.weights." + key)
        missing.push_back(fmt::format("{}: '{}' is not there; it was trained from {}", file.what,
                                      visible(path), described(file)));
  }
  if (!missing.empty())
    throw UserError(missing_weights_text(start.checkpoint->directory.path, missing));
}

}  // namespace

RunStart find_start(const RunFolder& folder, const RunConfig& config, const std::string& resume) {
  RunStart start{.checkpoint = folder.load_checkpoint(resume)};
  if (!start.checkpoint) return start;
  const std::filesystem::path& path = start.checkpoint->directory.path;
  saved_config(*start.checkpoint);
  start.progress = read_progress(start.checkpoint->contents);
  start.trained_on = recorded_of(path);
  start.left_out = replaced_starting_points(config.model.weights, path);
  require_starting_points(start, config.model.weights);
  return start;
}

Provenance present_inputs(const RunStart& start, const RunConfig& config,
                          std::vector<InputData> data) {
  RunConfig present = config;
  present.model.weights = without_starting_points(config.model.weights, start.left_out);
  Provenance now = provenance_of(present, std::move(data));
  if (!start.trained_on) return now;
  // Of starting points that are left out stands what was recorded.
  for (const std::string& key : start.left_out) {
    for (const InputFile& file : start.trained_on->weights)
      if (file.what == "model.weights." + key) now.weights.push_back(file);
    if (key == "saved_step") now.saved_step_modules = start.trained_on->saved_step_modules;
  }
  return now;
}

ResumeVerdict judge_resume(const RunStart& start, const RunConfig& config, const Provenance& now,
                           models::VideoLlama* model, bool accept_changes) {
  const checkpoint::LoadedStep& step = *start.checkpoint;
  const std::string path = step.directory.path.string();
  InputChanges inputs;
  if (start.trained_on) inputs = changes_between(*start.trained_on, now);
  std::vector<std::string> changes =
      training_changes(saved_config(step), config, start.trained_on.has_value());
  changes.insert(changes.end(), inputs.certain.begin(), inputs.certain.end());
  const std::string misfit =
      model == nullptr ? "" : misfit_of(step.contents.tensors, model->trainable_parameters());

  ResumeVerdict verdict{.is_unchanged = changes.empty()};
  if (!inputs.possible.empty())
    verdict.warnings.push_back(changes_text({.certain = {}, .possible = inputs.possible}, path));
  if (!misfit.empty() || (!changes.empty() && !accept_changes))
    verdict.refusal = refusal_of(path, changes, misfit);
  else if (!changes.empty())
    verdict.warnings.push_back(fmt::format(
        "resuming '{}' with something else than it was trained with:{}", path, indented(changes)));
  return verdict;
}

}  // namespace vllama::train
