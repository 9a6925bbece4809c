// Pictures as CLIP and what descends from it take them.
#pragma once

#include <ATen/core/Tensor.h>

#include "samples/encoder_input.h"

namespace vllama::encoders {

// With CLIP's pixel statistics.
samples::PictureInput clip_pictures(std::int64_t side);

// frames_FHWC uint8 RGB -> [F, 3, S, S] of `dtype`: ((x / 255) - mean) / deviation.
at::Tensor normalized(const at::Tensor& frames_FHWC, const samples::PictureInput& input,
                      at::ScalarType dtype);

}  // namespace vllama::encoders
