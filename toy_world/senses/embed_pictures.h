// Pictures in ImageBind's space.
#pragma once

#include <vector>

#include "encoders/image_bind_vision.h"
#include "toy_world/senses/pictures.h"

namespace vllama::toy {

// frames_NHWC uint8, of the toy world -> [N, 3, S, S] float, normalised as all its encoders take
// them.
at::Tensor as_encoders_read(const at::Tensor& frames_NHWC);

// -> [N, E], every row of length 1, without autograd history.
at::Tensor embed_pictures(const encoders::ImageBindVision& encoder,
                          const std::vector<Picture>& pictures);

}  // namespace vllama::toy
