// What the encoders of a model read, and how much room media take in its branches.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "media/waveform.h"
#include "samples/audio_clip_config.h"
#include "samples/compat.h"
#include "samples/media_extent.h"

namespace vllama::samples {

// Square pictures, uint8 [R, side, side, 3], RGB. The encoder takes (x / 255 - mean) / deviation.
struct PictureInput {
  std::int64_t side = 224;  // pixels
  std::array<double, 3> mean = {}, deviation = {};
};

// A sound as spectrograms that an encoder knows.
struct SoundUnits {
  at::Tensor values;             // float [K, ...]
  std::int64_t num_padding = 0;  // tokens of the encoder at the end that stand for no sound
};

struct SoundInput {
  // Of a waveform of any rate and number of channels; nothing where it is too short for any.
  std::function<std::optional<SoundUnits>(media::Waveform, const AudioClipConfig&, const Compat&)>
      units = nullptr;
  bool takes_clips = true;  // as many as the configuration says; else the whole sound
};

using EncoderInput = std::variant<PictureInput, SoundInput>;

// What a medium takes up in a branch.
struct MediaRoom {
  std::int64_t num_tokens = 0;  // of the language model, for its embeddings
  std::int64_t num_places = 0;  // that have positions: frames, clips, or windows of sound
};

// A branch of the model, as settings and messages call its parts.
struct BranchInput {
  std::string name;  // as in model.branches
  std::function<MediaRoom(const MediaExtent&)> room;
  std::int64_t max_positions = 32;  // most places of a medium
  std::string max_positions_key = {}, positions_key = {};
  // Whether its embeddings lie place by place, as many for each, and how long a place of sound is.
  bool keeps_places = false;
  double window_seconds = 0;  // 0: no stretch of sound is read apart
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
