// What a model expects of its examples.
#pragma once

#include <cstdint>
#include <optional>

namespace vllama::samples {

// What a branch of the model expects.
struct BranchInput {
  std::int64_t image_size = 224;    // pixels, square
  std::int64_t num_tokens = 32;     // that the embeddings of a medium take
  std::int64_t max_positions = 32;  // frames, or clips of sound, of a medium
};

// The branches that the model has, at least one.
struct ModelInput {
  std::optional<BranchInput> vision, audio;
};

}  // namespace vllama::samples
