#include "datasets/examples/media_rules.h"

#include <fmt/format.h>

namespace vllama::datasets {
namespace {

void add_position_rules(const DatasetConfig& set, const DataConfig& data, const ModelInput& model,
                        std::vector<std::string>& broken) {
  const BranchInput& of_frames = model.vision ? *model.vision : *model.audio;
  if (set.inputs != Inputs::sound && set.num_frames > of_frames.max_positions)
    broken.push_back(fmt::format(
        "data set '{}' takes {} frames, more than {} = {}; with {}: interpolated clips may be of "
        "any length",
        set.name, set.num_frames,
        model.vision ? "model.vision.max_frame_positions" : "model.audio.max_positions",
        of_frames.max_positions,
        model.vision ? "model.vision.frame_positions" : "model.audio.positions"));
  if (model.audio && data.sound.num_clips > model.audio->max_positions)
    broken.push_back(
        fmt::format("data.sound.num_clips = {} is more than model.audio.max_positions = {}; with "
                    "model.audio.positions: interpolated any number may be taken",
                    data.sound.num_clips, model.audio->max_positions));
}

}  // namespace

std::vector<std::string> broken_media_rules(const DatasetConfig& set, const DataConfig& data,
                                            const ModelInput& model) {
  std::vector<std::string> broken;
  if (set.min_crop_scale > set.max_crop_scale)
    broken.push_back(fmt::format("data set '{}': min_crop_scale {} is above max_crop_scale {}",
                                 set.name, set.min_crop_scale, set.max_crop_scale));
  const bool wants_sound = set.inputs == Inputs::sound || set.inputs == Inputs::frames_and_sound;
  if (wants_sound && !model.audio)
    broken.push_back(fmt::format("data set '{}': inputs: {} needs a model with an audio branch",
                                 set.name, config::name_of(set.inputs)));
  else if (set.inputs == Inputs::frames_and_sound && !model.vision)
    broken.push_back(fmt::format("data set '{}': inputs: {} needs a model with both branches",
                                 set.name, config::name_of(set.inputs)));
  add_position_rules(set, data, model, broken);
  return broken;
}

}  // namespace vllama::datasets
