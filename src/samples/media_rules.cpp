#include "samples/media_rules.h"

#include <fmt/format.h>

namespace vllama::samples {
namespace {

void add_position_rules(const std::string& name, const MediaConfig& config,
                        const MediaSettings& settings, const ModelInput& model,
                        std::vector<std::string>& broken) {
  if (const auto encoder = model.picture_encoder(); encoder && config.inputs != Inputs::sound) {
    const BranchInput& branch = model.branch_of(*encoder);
    if (config.num_frames > branch.max_positions)
      broken.push_back(fmt::format(
          "data set '{}' takes {} frames, more than {} = {}; with {}: interpolated clips may be of "
          "any length",
          name, config.num_frames, branch.max_positions_key, branch.max_positions,
          branch.positions_key));
  }
  if (const auto encoder = model.sound_encoder()) {
    const BranchInput& branch = model.branch_of(*encoder);
    const bool takes_clips = std::get<SoundInput>(model.encoders[*encoder].reads).takes_clips;
    if (takes_clips && settings.sound.num_clips > branch.max_positions)
      broken.push_back(fmt::format(
          "data.sound.num_clips = {} is more than {} = {}; with {}: interpolated any number may be "
          "taken",
          settings.sound.num_clips, branch.max_positions_key, branch.max_positions,
          branch.positions_key));
  }
}

// Whether frames and sound go to branches of their own.
bool takes_both(const ModelInput& model) {
  const auto pictures = model.picture_encoder(), sound = model.sound_encoder();
  return pictures && sound && model.encoders[*pictures].branch != model.encoders[*sound].branch;
}

void add_interleave_rules(const ModelInput& model, std::vector<std::string>& broken) {
  if (!takes_both(model)) {
    broken.emplace_back("data.interleave: true needs a model with both branches");
    return;
  }
  if (!model.branch_of(*model.picture_encoder()).keeps_places ||
      model.branch_of(*model.sound_encoder()).window_seconds == 0)
    broken.emplace_back(
        "data.interleave: true puts sound behind the frames of the same seconds, which needs "
        "embeddings of each frame (model.vision.connector: mlp) and of each window of sound "
        "(model.audio.window_seconds above 0)");
}

}  // namespace

std::vector<std::string> broken_media_rules(const std::string& name, const MediaConfig& config,
                                            const MediaSettings& settings,
                                            const ModelInput& model) {
  if (model.encoders.empty())
    return {fmt::format("'{}' has media, and the model has no branch that takes them in", name)};
  std::vector<std::string> broken;
  if (config.min_crop_scale > config.max_crop_scale)
    broken.push_back(fmt::format("data set '{}': min_crop_scale {} is above max_crop_scale {}",
                                 name, config.min_crop_scale, config.max_crop_scale));
  const bool wants_both = config.inputs == Inputs::frames_and_sound;
  if ((wants_both || config.inputs == Inputs::sound) && !model.sound_encoder())
    broken.push_back(fmt::format("data set '{}': inputs: {} needs a model with an audio branch",
                                 name, config::name_of(config.inputs)));
  else if (wants_both && !takes_both(model))
    broken.push_back(fmt::format("data set '{}': inputs: {} needs a model with both branches", name,
                                 config::name_of(config.inputs)));
  add_position_rules(name, config, settings, model, broken);
  if (settings.interleave) add_interleave_rules(model, broken);
  return broken;
}

}  // namespace vllama::samples
