#include "train/loop/retention.h"

#include <algorithm>
#include <set>

#include "train/run/run_state.h"

namespace vllama::train {
namespace {

std::set<std::int64_t> best_steps(const std::vector<SavedStep>& saved,
                                  const CheckpointConfig& config) {
  std::vector<SavedStep> compared;
  for (const SavedStep& step : saved)
    if (step.metric) compared.push_back(step);
  std::sort(compared.begin(), compared.end(), [&](const SavedStep& left, const SavedStep& right) {
    if (*left.metric == *right.metric) return left.step > right.step;
    return (*left.metric < *right.metric) == (config.best_is == BestValue::lowest);
  });
  const auto num_kept = std::min(compared.size(), static_cast<std::size_t>(config.keep_best));
  std::set<std::int64_t> steps;
  for (std::size_t i = 0; i < num_kept; ++i) steps.insert(compared[i].step);
  return steps;
}

std::optional<double> metric_of(const std::filesystem::path& step, const std::string& name) {
  const auto state = checkpoint::read_step_text(step, kStateFile);
  if (!state) return std::nullopt;
  const auto metrics = read_state_metrics(*state);
  const auto found = metrics.find(name);
  return found == metrics.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace

std::vector<std::int64_t> steps_to_remove(const std::vector<SavedStep>& saved,
                                          const CheckpointConfig& config, std::int64_t newest) {
  std::vector<SavedStep> candidates;
  for (const SavedStep& step : saved)
    if (step.step <= newest) candidates.push_back(step);
  std::sort(candidates.begin(), candidates.end(),
            [](const SavedStep& left, const SavedStep& right) { return left.step < right.step; });
  const std::set<std::int64_t> best = best_steps(candidates, config);
  const std::int64_t every = config.keep_every_steps;
  std::vector<std::int64_t> removed;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::int64_t step = candidates[i].step;
    const bool is_among_last = candidates.size() - i <= static_cast<std::size_t>(config.keep_last);
    const bool is_milestone = every > 0 && step % every == 0;
    if (step != newest && !is_among_last && !is_milestone && !best.contains(step))
      removed.push_back(step);
  }
  return removed;
}

void remove_old_checkpoints(const std::filesystem::path& root, const CheckpointConfig& config,
                            std::int64_t newest) {
  const auto directories = checkpoint::list_steps(root);
  std::vector<SavedStep> saved;
  for (const auto& [step, path] : directories)
    saved.push_back(
        {step, config.keep_best > 0 ? metric_of(path, config.best_metric) : std::nullopt});
  const auto steps = steps_to_remove(saved, config, newest);
  std::vector<checkpoint::StepDirectory> removed;
  for (const auto& directory : directories)
    if (std::ranges::find(steps, directory.step) != steps.end()) removed.push_back(directory);
  checkpoint::remove_steps(root, removed);
}

}  // namespace vllama::train
