#include "train/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "core/error.h"
#include "core/log.h"
#include "train/config_change.h"
#include "train/find_step.h"
#include "train/provenance_changes.h"
#include "train/recorded_config.h"
#include "train/starting_points.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

// What `now` says, and of starting points that were left out what `then` said.
Provenance with_left_out(Provenance now, const Provenance& then,
                         const std::vector<std::string>& left_out) {
  for (const std::string& key : left_out) {
    for (const InputFile& file : then.weights)
      if (file.what == "model.weights." + key) now.weights.push_back(file);
    if (key == "saved_step") now.saved_step_modules = then.saved_step_modules;
  }
  return now;
}

std::vector<std::string> certain_changes(const std::string& saved_config, const RunConfig& config,
                                         const std::optional<Provenance>& then,
                                         const InputChanges& inputs) {
  std::vector<std::string> changes = training_changes(saved_config, config, then.has_value());
  changes.insert(changes.end(), inputs.certain.begin(), inputs.certain.end());
  return changes;
}

void check_changes(const checkpoint::LoadedStep& found, const RunConfig& config,
                   const std::optional<Provenance>& then, const Provenance& now, bool accept) {
  const std::string path = found.directory.path.string();
  const auto saved = found.contents.texts.find(kConfigFile);
  if (saved == found.contents.texts.end())
    throw UserError(fmt::format("the checkpoint '{}' has no {}", path, kConfigFile));
  InputChanges inputs;
  if (then) inputs = changes_between(*then, now);
  const auto changes = certain_changes(saved->second, config, then, inputs);
  warn_of({.certain = {}, .possible = inputs.possible}, path);
  if (changes.empty()) return;
  const std::string list = fmt::format("\n  {}", fmt::join(changes, "\n  "));
  if (!accept)
    throw UserError(
        fmt::format("this would train something else than the checkpoint '{}' did:{}\n"
                    "put it back, choose another output_dir, or resume with "
                    "--accept-changes",
                    path, list));
  log::warn("resuming '{}' with something else than it was trained with:{}", path, list);
}

// What would be trained on now, in going on from a step that was trained on `then`.
Provenance present_beside(const fs::path& step, const std::optional<Provenance>& then,
                          const RunConfig& config, const datasets::Mixture& data) {
  const auto left_out = replaced_starting_points(config.model.weights, step);
  RunConfig present = config;
  present.model.weights = without_starting_points(config.model.weights, left_out);
  Provenance now = provenance_of(present, data);
  return then ? with_left_out(std::move(now), *then, left_out) : now;
}

// A step that a run starts from has been trained on base weights too.
void warn_of_other_base(const Provenance& now) {
  for (const InputFile& file : now.weights) {
    const fs::path step = file.path.parent_path();
    if (file.path.filename() != kTrainedFile) continue;
    auto then = provenance_of_step(step);
    if (!then) continue;
    const auto is_common = [](const InputFile& candidate, const std::vector<InputFile>& others) {
      return candidate.what != "model.weights.saved_step" &&
             std::ranges::find(others, candidate.what, &InputFile::what) != others.end();
    };
    std::vector<InputFile> base = now.weights;
    std::erase_if(base,
                  [&](const auto& candidate) { return !is_common(candidate, then->weights); });
    std::erase_if(then->weights,
                  [&](const auto& candidate) { return !is_common(candidate, base); });
    InputChanges changes;
    add_weight_changes(then->weights, base, changes);
    warn_of(changes, step);
  }
}

}  // namespace

Resumption resume(const RunFolder& folder, const RunConfig& config, const TrainOptions& options,
                  const datasets::Mixture& data, Trainer& trainer,
                  distributed::Communicator& ranks) {
  Resumption resumption;
  const std::string state = ranks.decided_by_first(
      [&] {
        const auto found = folder.load_checkpoint(options.resume);
        std::optional<Provenance> then;
        if (found) then = recorded_of(found->directory.path);
        const Provenance now = found ? present_beside(found->directory.path, then, config, data)
                                     : provenance_of(config, data);
        resumption.texts = {{kConfigFile, config::dump(with_absolute_paths(config))},
                            {kProvenanceFile, provenance_text(now)}};
        if (!found) {
          warn_of_other_base(now);
          return std::string();
        }
        check_changes(*found, config, then, now, options.accept_changes);
        const RunProgress progress = read_progress(found->contents);
        trainer.load_state(found->contents.tensors);
        log::info("resumed from '{}' after {} steps", found->directory.path.string(),
                  progress.num_steps_done);
        return found->contents.texts.at(kStateFile);
      },
      "resuming");
  if (state.empty()) return resumption;
  trainer.copy_state_of_first();
  resumption.progress = read_progress({.tensors = {}, .texts = {{kStateFile, state}}});
  return resumption;
}

models::ModelConfig without_replaced(const RunConfig& config, const RunFolder& folder,
                                     const TrainOptions& options,
                                     distributed::Communicator& ranks) {
  const std::string keys = ranks.decided_by_first(
      [&] {
        const auto is_gone = [](const auto& point) {
          std::error_code error;
          return !fs::exists(point.second, error);
        };
        if (std::ranges::none_of(starting_points(config.model.weights), is_gone))
          return std::string();
        const auto found = folder.load_checkpoint(options.resume);
        if (!found) return std::string();
        const auto replaced = replaced_starting_points(config.model.weights, found->directory.path);
        return fmt::format("{}", fmt::join(replaced, " "));
      },
      "looking for starting points");
  std::istringstream words(keys);
  const std::vector<std::string> replaced(std::istream_iterator<std::string>(words), {});
  models::ModelConfig model = config.model;
  model.weights = without_starting_points(model.weights, replaced);
  return model;
}

std::optional<std::filesystem::path> finished_checkpoint(const RunFolder& folder,
                                                         const RunConfig& config,
                                                         const TrainOptions& options,
                                                         const datasets::Mixture& data,
                                                         distributed::Communicator& ranks) {
  if (options.resume != "auto") return std::nullopt;
  const std::string path = ranks.decided_by_first(
      [&] {
        const auto steps = checkpoint::list_steps(folder.checkpoints());
        if (steps.empty() || steps.back().step < config.training.num_steps() ||
            checkpoint::step_damage(steps.back().path))
          return std::string();
        const std::filesystem::path& newest = steps.back().path;
        const auto saved = checkpoint::read_step_text(newest, kConfigFile);
        if (!saved) return std::string();
        const auto then = recorded_of(newest);
        InputChanges inputs;
        if (then) inputs = changes_between(*then, present_beside(newest, then, config, data));
        const bool is_this_run = certain_changes(*saved, config, then, inputs).empty();
        return is_this_run ? newest.string() : std::string();
      },
      "looking for the end of the run");
  if (path.empty()) return std::nullopt;
  return path;
}

}  // namespace vllama::train
