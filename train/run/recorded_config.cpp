#include "train/run/recorded_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "checkpoint/manifest.h"
#include "core/error.h"
#include "core/files.h"
#include "text/folder_template.h"
#include "train/run/find_step.h"
#include "train/run/provenance_file.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

fs::path plain_absolute(const fs::path& path) {
  const fs::path plain = fs::absolute(path).lexically_normal();
  return plain.has_filename() ? plain : plain.parent_path();
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  const auto [end, rest] = std::ranges::mismatch(folder, path);
  return end == folder.end();
}

// Of a pattern ("shards-{000..099}.tar", "shards-*.tar") the folder counts.
bool is_there(const fs::path& path) {
  std::error_code error;
  if (fs::exists(path, error)) return true;
  const bool is_pattern = path.filename().string().find_first_of("{*") != std::string::npos;
  return is_pattern && fs::is_directory(path.parent_path(), error);
}

// What stands for the prompts of the language model's folder becomes their name, so that a run
// records what it did.
void name_template(RunConfig& config) {
  std::string& family = config.data.conversations.family;
  if (family != datasets::kAutomaticTemplate) return;
  const std::string& folder = config.model.weights.language_model;
  const auto found = text::family_of_folder(folder);
  if (!found)
    throw UserError(fmt::format(
        "data.conversations.template: auto: '{}' does not say which prompts the model was trained "
        "with, or others than are known here; name {}",
        folder, fmt::join(text::prompt_template_names(), ", ")));
  family = *found;
}

RunConfig with_overrides(config::Tree tree, const std::vector<std::string>& overrides) {
  for (const std::string& assignment : overrides) config::apply_override(tree, assignment);
  auto config = config::read<RunConfig>(tree);
  name_template(config);
  return config;
}

// Of a file that a run has recorded: there is its provenance beside it.
RunMove move_of(const fs::path& file) {
  const fs::path folder = plain_absolute(file).parent_path();
  std::error_code error;
  if (file.filename() != kConfigFile || !fs::is_regular_file(folder / kProvenanceFile, error))
    return {};
  const std::string from = recorded_folder(read_file(folder / kProvenanceFile));
  const fs::path to = fs::is_regular_file(folder / checkpoint::kManifestName, error)
                          ? run_of_step(folder).value_or(from)
                          : folder;
  return {from, to};
}

// The file that was recorded for a run or a step.
fs::path config_file(const fs::path& path) {
  std::error_code error;
  const fs::path plain = path.has_filename() ? path : path.parent_path();
  if (fs::is_regular_file(plain, error)) return plain;
  if (fs::is_regular_file(plain / kConfigFile, error)) return plain / kConfigFile;
  const auto step = find_step(plain);
  return step ? *step / kConfigFile : plain;
}

}  // namespace

RunConfig with_absolute_paths(RunConfig config) {
  config::change_paths(config, [](const std::string&, const std::string& path) {
    return plain_absolute(path).string();
  });
  return config;
}

std::vector<fs::path> places_of(const fs::path& path, const RunMove& move) {
  if (path.is_relative() || move.from.empty() || move.to.empty() || move.from == move.to)
    return {path};
  const fs::path moved = (move.to / path.lexically_relative(move.from)).lexically_normal();
  const fs::path plain = moved.has_filename() ? moved : moved.parent_path();
  if (lies_in(path, move.from)) return {plain};
  return {path, plain};
}

RunConfig settled(RunConfig recorded, const RunMove& move) {
  config::change_paths(recorded, [&move](const std::string&, const std::string& path) {
    const auto places = places_of(path, move);
    const auto found = std::ranges::find_if(places, is_there);
    return (found == places.end() ? places.front() : *found).string();
  });
  return recorded;
}

RunConfig read_recorded_config(const std::string& text, const fs::path& file, const RunMove& move,
                               const std::vector<std::string>& overrides) {
  config::Tree tree = config::load_text(text, file.string());
  if (move.from != move.to) {
    RunConfig config = settled(config::read<RunConfig>(tree), move);
    tree = config::load_text(config::dump(config), file.string());
  }
  return with_overrides(std::move(tree), overrides);
}

RunConfig read_run_config(const fs::path& path, const std::vector<std::string>& overrides) {
  const fs::path file = config_file(path);
  const RunMove move = move_of(file);
  if (!move.from.empty()) return read_recorded_config(read_file(file), file, move, overrides);
  return with_overrides(config::load_file(file), overrides);
}

}  // namespace vllama::train
