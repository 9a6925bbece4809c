// One training sample as tensors: its media at the model's size, and its text as tokens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/media_kind.h"
#include "samples/media_extent.h"

namespace vllama::samples {

// A medium of F frames of S x S pixels (an image is one frame), or of F clips of sound.
struct MediaInput {
  MediaKind kind = MediaKind::video;
  std::size_t encoder = 0;       // of the model, by number (encoder_input.h)
  std::string branch = {};       // that the encoder belongs to
  at::Tensor values;             // frames: uint8 [F, S, S, 3], RGB; the encoder normalises
                                 // sound: float [F, ...], as its encoder knows spectrograms
  std::int64_t num_padding = 0;  // (media_extent.h)
  std::int64_t num_tokens = 0;   // media tokens that its embeddings replace
  // When each frame of a video stands in its file; empty for pictures and sound.
  std::vector<double> times_seconds = {};

  MediaExtent extent() const { return {values.size(0), num_padding}; }
};

// Media tokens in a row that embeddings of one medium replace.
struct MediaRun {
  std::size_t medium = 0;  // by number, of Example::media or BuiltMedium::inputs
  std::int64_t num_tokens = 0;

  bool operator==(const MediaRun&) const = default;
};

struct Example {
  std::string id;
  std::vector<MediaInput> media;  // in the order of their first media tokens
  // How the media tokens, in their order, belong to the media. None: medium by medium.
  std::vector<MediaRun> runs = {};
  // The prompt, with the tokenizer's image token where embeddings of the media go, and the same
  // number of labels: the token itself where it is to be learned, else text::kIgnoredLabel.
  std::vector<std::int64_t> token_ids, labels;
  std::uint64_t dropout_key = 0;          // names the sample's dropout masks
  bool text_shortened = false;            // text was left out to meet a length limit
  std::int64_t num_concealed_frames = 0;  // stand in for frames that did not decode
};

// The runs of an example, also where it has none of its own.
std::vector<MediaRun> media_runs(const Example& example);

}  // namespace vllama::samples
