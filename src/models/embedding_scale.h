// How long the embeddings were that an audio branch was trained on.
#pragma once

#include <string>

#include "encoders/shared_space.h"

namespace vllama::models {

// What to warn of if the checkpoint `file` was trained with another model.audio.embedding_scale
// than `used`; else empty. A saved step says so in the configuration beside it; a .pth file is the
// Python original's, trained with the published scales.
std::string other_scale_warning(const std::string& file, encoders::EmbeddingScale used);

}  // namespace vllama::models
