#include "train/provenance/starting_points.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "models/saved_step.h"
#include "train/provenance/provenance.h"
#include "train/run/find_step.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;  // of modules

template <class Modules>
Names names_of_all(const Modules& modules) {
  const auto names = config::names_of_each(modules);
  return {names.begin(), names.end()};
}

// Empty if it is not known.
Names given_by(const std::string& key, const fs::path& step) {
  using enum models::ModulePlace;
  if (key == "projection") return {config::name_of(models::ModuleName::projection)};
  if (key == "vision_checkpoint") return names_of_all(models::modules_of_branch(vision_branch));
  if (key == "audio_checkpoint") return names_of_all(models::modules_of_branch(audio_branch));
  const auto provenance = provenance_of_step(step);
  return provenance ? provenance->saved_step_modules : Names{};
}

}  // namespace

std::vector<std::string> replaced_starting_points(const models::WeightFiles& weights,
                                                  const fs::path& step) {
  std::vector<std::string> replaced;
  for (const auto& [key, path] : starting_points(weights)) {
    std::error_code error;
    if (fs::exists(path, error)) continue;
    const Names held = names_of_all(models::modules_in((step / kTrainedFile).string()));
    const Names given = given_by(key, step);
    if (!given.empty() && std::ranges::includes(held, given)) replaced.push_back(key);
  }
  return replaced;
}

models::WeightFiles without_starting_points(models::WeightFiles weights,
                                            const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    if (key == "projection") weights.projection.clear();
    if (key == "vision_checkpoint") weights.vision_checkpoint.clear();
    if (key == "audio_checkpoint") weights.audio_checkpoint.clear();
    if (key == "saved_step") weights.saved_step.clear();
  }
  return weights;
}

}  // namespace vllama::train
