// Reads ImageBind's encoders from the published file.
#pragma once

#include "models/audio_branch.h"
#include "models/weight_reading.h"

namespace vllama::models {

// Both encoders of `branch`, from `file` (imagebind_huge.pth).
WeightReading image_bind_reading(AudioBranch& branch, const std::string& file,
                                 weights::LoadRules rules);

// Fills both encoders of `branch` from `file` (imagebind_huge.pth), held in `dtype`; the audio
// factor stays fp32, and a warning says so if it is not the published 20. Throws UserError naming
// the file and every tensor that is missing, unexpected or misshapen.
void load_image_bind(AudioBranch& branch, const std::string& file, at::ScalarType dtype,
                     at::Device device);

}  // namespace vllama::models
