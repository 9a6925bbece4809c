#include "train/provenance/starting_points.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "inference/bundle/model_in_use.h"
#include "train/provenance/provenance.h"
#include "train/run/find_step.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;
using Modules = std::set<std::string>;

// Empty if it is not known.
Modules given_by(const std::string& key, const fs::path& step) {
  if (key == "projection") return {"projection"};
  if (key == "vision_checkpoint") return {"video_q_former", "frame_positions", "projection"};
  if (key == "audio_checkpoint") return {"audio_q_former", "audio_positions", "audio_projection"};
  const auto provenance = provenance_of_step(step);
  return provenance ? provenance->saved_step_modules : Modules{};
}

}  // namespace

std::vector<std::string> replaced_starting_points(const models::WeightFiles& weights,
                                                  const fs::path& step) {
  std::vector<std::string> replaced;
  for (const auto& [key, path] : starting_points(weights)) {
    std::error_code error;
    if (fs::exists(path, error)) continue;
    const Modules held = inference::modules_in((step / kTrainedFile).string());
    const Modules given = given_by(key, step);
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
