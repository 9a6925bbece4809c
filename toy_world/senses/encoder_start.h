// Lets ImageBind's image encoder begin as a trained EVA ViT.
#pragma once

#include "encoders/eva_vit.h"

namespace vllama::toy {

// Whether a parameter of ImageBind belongs to its image encoder.
bool is_of_vision(const std::string& image_bind_name);

// Copies the encoder's weights into those of the image encoder among `image_bind_trunks`, which are
// initialised, wherever shapes agree. What ImageBind lacks goes elsewhere: the bias of the patches
// into the positions, half of the patch kernel into each of two frames.
void start_from(encoders::EvaVit& encoder, const nn::ParameterList& image_bind_trunks);

}  // namespace vllama::toy
