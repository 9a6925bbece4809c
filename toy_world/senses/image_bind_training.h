// Trains ImageBind's encoders of the toy world: pictures by contrast with captions, then sound by
// contrast with pictures. Sound never meets text.
#pragma once

#include <cstdint>
#include <vector>

#include "encoders/eva_vit.h"
#include "toy_world/senses/image_bind.h"
#include "toy_world/senses/text_trunk.h"

namespace vllama::toy {

struct ImageTextTraining {
  std::int64_t num_steps = 1000;
  std::int64_t batch_size = 128;
  double peak_learning_rate = 1e-3;
};

// Trains the image encoder of `image_bind` and `text`, which reads captions as CaptionWords encodes
// them. The image encoder starts from `encoder`, a trained EVA ViT, as far as shapes agree.
// Returns the loss of every step.
std::vector<double> train_image_text(ImageBind& image_bind, TextTrunk& text,
                                     encoders::EvaVit& encoder, const ImageTextTraining& settings,
                                     std::uint64_t seed);

struct SoundTraining {
  std::int64_t num_steps = 500;
  std::int64_t batch_size = 128;
  std::int64_t num_pairs = 5000;
  double peak_learning_rate = 1e-3;
};

// Trains the audio encoder of `image_bind` on pairs of a picture and the sound around it, with the
// image encoder frozen: by contrast, where pictures that show the same kinds match alike, and by
// the cosine of the pairs. Returns the loss of every step.
std::vector<double> train_sound(ImageBind& image_bind, const SoundTraining& settings,
                                std::uint64_t seed);

}  // namespace vllama::toy
