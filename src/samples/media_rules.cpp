#include "samples/media_rules.h"

#include <fmt/format.h>

namespace vllama::samples {
namespace {

void add_position_rules(const std::string& name, const MediaConfig& config,
                        const MediaSettings& settings, const ModelInput& model,
                        std::vector<std::string>& broken) {
  const BranchInput& of_frames = model.vision ? *model.vision : *model.audio;
  if (config.inputs != Inputs::sound && config.num_frames > of_frames.max_positions)
    broken.push_back(fmt::format(
        "data set '{}' takes {} frames, more than {} = {}; with {}: interpolated clips may be of "
        "any length",
        name, config.num_frames,
        model.vision ? "model.vision.max_frame_positions" : "model.audio.max_positions",
        of_frames.max_positions,
        model.vision ? "model.vision.frame_positions" : "model.audio.positions"));
  if (model.audio && settings.sound.num_clips > model.audio->max_positions)
    broken.push_back(
        fmt::format("data.sound.num_clips = {} is more than model.audio.max_positions = {}; with "
                    "model.audio.positions: interpolated any number may be taken",
                    settings.sound.num_clips, model.audio->max_positions));
}

}  // namespace

std::vector<std::string> broken_media_rules(const std::string& name, const MediaConfig& config,
                                            const MediaSettings& settings,
                                            const ModelInput& model) {
  std::vector<std::string> broken;
  if (config.min_crop_scale > config.max_crop_scale)
    broken.push_back(fmt::format("data set '{}': min_crop_scale {} is above max_crop_scale {}",
                                 name, config.min_crop_scale, config.max_crop_scale));
  const bool wants_sound =
      config.inputs == Inputs::sound || config.inputs == Inputs::frames_and_sound;
  if (wants_sound && !model.audio)
    broken.push_back(fmt::format("data set '{}': inputs: {} needs a model with an audio branch",
                                 name, config::name_of(config.inputs)));
  else if (config.inputs == Inputs::frames_and_sound && !model.vision)
    broken.push_back(fmt::format("data set '{}': inputs: {} needs a model with both branches", name,
                                 config::name_of(config.inputs)));
  add_position_rules(name, config, settings, model, broken);
  return broken;
}

}  // namespace vllama::samples
