// What models of the published kinds expect of their examples, at any size.
#pragma once

#include "samples/audio_clips.h"
#include "samples/encoder_input.h"

namespace vllama::test {

struct BranchSizes {
  std::int64_t image_size = 224, num_tokens = 32, max_positions = 32;
};

// Of a connector that always makes the same number, and has a position for each unit.
inline auto room_of(const BranchSizes& sizes) {
  return [num_tokens = sizes.num_tokens](const samples::MediaExtent& medium) {
    return samples::MediaRoom{.num_tokens = num_tokens, .num_places = medium.num_units};
  };
}

// Appends a branch that only sees.
inline void add_vision(samples::ModelInput& model, const BranchSizes& sizes) {
  model.encoders.push_back(
      {samples::PictureInput{.side = sizes.image_size}, model.branches.size()});
  model.branches.push_back({.name = "vision",
                            .room = room_of(sizes),
                            .max_positions = sizes.max_positions,
                            .max_positions_key = "model.vision.max_frame_positions",
                            .positions_key = "model.vision.frame_positions"});
}

// Appends a branch that sees and hears.
inline void add_audio(samples::ModelInput& model, const BranchSizes& sizes) {
  model.encoders.push_back(
      {samples::PictureInput{.side = sizes.image_size}, model.branches.size()});
  model.encoders.push_back({samples::sound_clips(), model.branches.size()});
  model.branches.push_back({.name = "audio",
                            .room = room_of(sizes),
                            .max_positions = sizes.max_positions,
                            .max_positions_key = "model.audio.max_positions",
                            .positions_key = "model.audio.positions"});
}

inline samples::ModelInput vision_input(const BranchSizes& sizes = {}) {
  samples::ModelInput model;
  add_vision(model, sizes);
  return model;
}

inline samples::ModelInput audio_input(const BranchSizes& sizes) {
  samples::ModelInput model;
  add_audio(model, sizes);
  return model;
}

inline samples::ModelInput both_inputs(const BranchSizes& vision, const BranchSizes& audio) {
  samples::ModelInput model = vision_input(vision);
  add_audio(model, audio);
  return model;
}

}  // namespace vllama::test
