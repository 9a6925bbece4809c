// How long the embeddings were that an audio branch was trained on.
#pragma once

#include <string>

namespace vllama::models {

// Warns if the checkpoint `file` was trained with another model.audio.embedding_scale than `used`.
// A saved step says so in the configuration beside it; a .pth file is the Python original's,
// trained with the published scales.
void warn_of_other_scale(const std::string& file, const std::string& used);

}  // namespace vllama::models
