// Makes the base models that see and hear as files in the published layouts, and measures the
// files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "models/random_weights.h"
#include "toy_world/senses/gates.h"
#include "toy_world/senses/image_bind_training.h"
#include "toy_world/senses/vision_training.h"

namespace vllama::toy {

// What all need: the sizes of the models and the folder of their files.
struct BaseFiles {
  models::WeightSizes sizes;
  std::filesystem::path folder;
};

// Trains the encoder and the image Q-Former and writes eva_vit_g.pth and blip2_qformer.pth, fp16,
// into the folder, which is created if absent. One seed gives the same bytes on one machine with
// one number of threads. Returns the gates of what was written.
std::vector<Gate> make_vision(const BaseFiles& files, const VisionTraining& settings,
                              std::uint64_t seed, const GateSizes& gate_sizes = {});

// Trains ImageBind's encoders, the first from the folder's eva_vit_g.pth, and writes
// imagebind_huge.pth, fp16. Throws UserError if the sizes name no audio branch or the encoder's
// file is missing. Returns the gates of what was written, with that of the captions.
std::vector<Gate> make_image_bind(const BaseFiles& files, const ImageTextTraining& image_text,
                                  const SoundTraining& sound, std::uint64_t seed,
                                  const GateSizes& gate_sizes = {});

// The gates of the files that are there. Throws UserError if there are none.
std::vector<Gate> measure(const BaseFiles& files, std::uint64_t seed,
                          const GateSizes& gate_sizes = {});

}  // namespace vllama::toy
