// Trains the EVA ViT and the image Q-Former of the toy world together, from still pictures with
// labels.
#pragma once

#include <cstdint>
#include <vector>

#include "models/branch.h"

namespace vllama::toy {

struct VisionTraining {
  std::int64_t num_steps = 4000;
  std::int64_t batch_size = 64;
  double peak_learning_rate = 1.5e-3;
};

// Initialises encoder, its norm and image Q-Former from `seed` and trains them with linear heads,
// which are thrown away: every patch tells what has its centre there, the class token what is in
// the picture, and the queries together tell everything of each kind, and field and number.
// Returns the loss of every step.
std::vector<double> train_vision(models::Branch& vision, const VisionTraining& settings,
                                 std::uint64_t seed);

// How many patches the encoder makes along a side of a picture.
std::int64_t patches_per_side(const models::Branch& vision);

}  // namespace vllama::toy
