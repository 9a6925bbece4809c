#include "train/saved/saved_checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "checkpoint/manifest.h"
#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "core/log.h"
#include "core/terminal_text.h"
#include "inference/bundle/model_in_use.h"
#include "models/file_sizes.h"
#include "text/folder_template.h"
#include "train/provenance/provenance_changes.h"
#include "train/provenance/starting_points.h"
#include "train/run/find_step.h"
#include "train/run/recorded_config.h"
#include "weights/folder_kind.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// "model.weights.q_former: '/ckpt/q.pth' (1000 bytes, SHA-256 0123...), looked for at '/ckpt/q.pth'
// and at '/new/ckpt/q.pth'".
std::string missing_text(const InputFile& file, const RunMove& move) {
  std::vector<std::string> places;
  for (const fs::path& place : places_of(file.path, move))
    places.push_back(fmt::format("'{}'", visible(place.string())));
  return fmt::format("{}: {}, looked for at {}", visible(file.what), described(file),
                     fmt::join(places, " and at "));
}

// Of a configured path the part behind "model.weights.".
std::string path_of(const models::WeightFiles& weights, const std::string& what) {
  const std::string key = what.substr(what.rfind('.') + 1);
  const auto keys = models::WeightFiles::keys();
  if (std::ranges::find(keys, key) != keys.end()) return weights.named(key);
  return {};
}

// Whether the path stands where the file was recorded, or moved to; no --set names another.
bool is_recorded(const fs::path& path, const InputFile& file, const RunMove& move) {
  return std::ranges::any_of(places_of(file.path, move), [&](const fs::path& place) {
    return place == path || place.parent_path() == path;
  });
}

// Throws UserError that says of each weight file that is gone what it was and where it was looked
// for.
void require_weights(const SavedCheckpoint& saved, const Provenance& then, const RunMove& move) {
  std::vector<std::string> missing;
  const models::WeightFiles& weights = saved.config.model.weights;
  for (const InputFile& file : then.weights) {
    const std::string path = path_of(weights, file.what);
    if (!path.empty() && !is_there(path) && is_recorded(path, file, move))
      missing.push_back(missing_text(file, move));
  }
  if (missing.empty()) return;
  throw UserError(missing_weights_text(saved.path, missing));
}

// Only weights that are used are compared.
void check_weights(SavedCheckpoint& saved, const Provenance& then, const RunMove& move) {
  models::WeightFiles& weights = saved.config.model.weights;
  weights = without_starting_points(weights, replaced_starting_points(weights, saved.path));
  require_weights(saved, then, move);
  models::ModelConfig used = inference::starting_points_needed(
      {.model = saved.config.model, .trained = saved.trained_file(), .seed = saved.config.seed});
  const std::vector<InputFile> now = weight_files(used);
  std::vector<InputFile> before = then.weights;
  std::erase_if(before,
                [&](const InputFile& file) { return path_of(used.weights, file.what).empty(); });
  InputChanges changes;
  add_weight_changes(before, now, changes);
  warn_of(changes, saved.path);
}

SavedCheckpoint open_step(const fs::path& step, const std::vector<std::string>& overrides) {
  const auto contents = checkpoint::load_step_files(step, files_in_use());
  const auto provenance = recorded_of(step);
  RunMove move;
  if (provenance)
    move = {provenance->run_folder, run_of_step(step).value_or(provenance->run_folder)};
  SavedCheckpoint saved{.path = step,
                        .config = read_recorded_config(contents.texts.at(kConfigFile),
                                                       step / kConfigFile, move, overrides),
                        .progress = read_progress(contents),
                        .metrics = read_state_metrics(contents.texts.at(kStateFile))};
  if (provenance) check_weights(saved, *provenance, move);
  saved.config.model = models::with_sizes_of_files(std::move(saved.config.model));
  return saved;
}

// Without branches, and of the family that its files name.
SavedCheckpoint open_language_model(const fs::path& folder,
                                    const std::vector<std::string>& overrides) {
  RunConfig config;
  config.output_dir = folder;
  config.model.branches = models::BranchSet::none;
  config.model.weights.language_model = folder;
  config.data.conversations.family = text::family_of_folder(folder).value_or("");
  config::Tree tree = config::load_text(config::dump(config), folder.string());
  for (const std::string& assignment : overrides) config::apply_override(tree, assignment);
  return {.path = folder, .config = config::read<RunConfig>(tree)};
}

}  // namespace

std::string SavedCheckpoint::trained_file() const {
  return progress ? (path / kTrainedFile).string() : std::string();
}

SavedCheckpoint find_checkpoint(const fs::path& path, const std::vector<std::string>& overrides) {
  if (const auto step = find_step(path)) return open_step(*step, overrides);
  const fs::path plain = path.has_filename() ? path : path.parent_path();
  if (!is_there(plain)) throw UserError(fmt::format("'{}' does not exist", plain.string()));
  if (weights::holds_hf_weights(plain)) return open_language_model(plain, overrides);
  if (std::error_code error; fs::is_directory(plain, error))
    throw UserError(
        fmt::format("'{}' is neither a run's folder (which has '{}') nor a saved step "
                    "(which has '{}')",
                    plain.string(), kCheckpoints, checkpoint::kManifestName));
  if (plain.extension() == ".yaml" || plain.extension() == ".yml") {
    SavedCheckpoint saved{.path = plain, .config = read_run_config(plain, overrides)};
    find_starting_points(saved.config.model.weights);
    saved.config.model = models::with_sizes_of_files(std::move(saved.config.model));
    return saved;
  }
  throw UserError(
      fmt::format("'{}' is no checkpoint: name a step's folder, a run's folder, RUN/best "
                  "or a RUN.yaml that names the weights",
                  plain.string()));
}

}  // namespace vllama::train
