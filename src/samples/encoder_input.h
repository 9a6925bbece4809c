// What the encoders of a model read, and how many places its branches have.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "media/waveform.h"
#include "samples/audio_clips.h"
#include "samples/compat.h"

namespace vllama::samples {

// Square pictures, uint8 [R, side, side, 3], RGB. The encoder takes (x / 255 - mean) / deviation.
struct PictureInput {
  std::int64_t side = 224;  // pixels
  std::array<double, 3> mean = {}, deviation = {};
};

// Clips of a sound as the spectrograms that the encoder knows, float [K, ...].
struct SoundInput {
  // Of a waveform of any rate and number of channels; nothing where it is too short for any.
  using Clips = std::optional<at::Tensor> (*)(media::Waveform, const AudioClipConfig&,
                                              const Compat&);
  Clips clips = nullptr;
};

using EncoderInput = std::variant<PictureInput, SoundInput>;

// A branch of the model, as settings and messages call its parts.
struct BranchInput {
  std::string name;                 // as in model.branches
  std::int64_t num_tokens = 32;     // that the embeddings of a medium take
  std::int64_t max_positions = 32;  // frames, or clips of sound, of a medium
  std::string max_positions_key = {}, positions_key = {};
};

// The branches that the model has, at least one, and its encoders, by number.
struct ModelInput {
  struct Encoder {
    EncoderInput reads;
    std::size_t branch;  // number of it
  };
  std::vector<BranchInput> branches;
  std::vector<Encoder> encoders;

  // The first that reads pictures, or sound.
  std::optional<std::size_t> picture_encoder() const;
  std::optional<std::size_t> sound_encoder() const;
  const BranchInput& branch_of(std::size_t encoder) const {
    return branches[encoders[encoder].branch];
  }
};

}  // namespace vllama::samples
