// Whisper's encoder, which hears words: its sizes, and how it is made.
#pragma once

#include <memory>
#include <string>

#include "config/fields.h"

namespace vllama::weights {
class FileSizes;
}

namespace vllama::encoders {

class Encoder;
struct SharedSpace;

struct WhisperConfig {
  static constexpr char kKind[] = "whisper";

  config::Size num_mel_bins = config::Size::published(128);
  config::Size width = config::Size::published(1280);
  config::Size num_blocks = config::Size::published(32);
  config::Size num_heads = config::Size::published(20);
  config::Size mlp_width = config::Size::published(5120);
  config::Size max_positions = config::Size::published(1500);

  std::int64_t num_tokens() const { return max_positions; }

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("num_mel_bins", num_mel_bins, "rows of the mel spectrogram: 80 up to large-v2, then 128",
          positive);
    field("width", width, "features per token", positive);
    field("num_blocks", num_blocks, "transformer blocks", positive);
    field("num_heads", num_heads, "attention heads", positive);
    field("mlp_width", mlp_width, "hidden width of the feed-forward layers", positive);
    field("max_positions", max_positions,
          "tokens of a piece of sound, 50 a second: how long the pieces are that sound is cut into",
          config::AtLeast<std::int64_t>{2});
  }
};

std::unique_ptr<Encoder> make_encoder(const WhisperConfig& sizes, const SharedSpace& space);

// Takes the sizes that the file tells, and the number of heads from the config.json of its folder;
// `section` begins their keys in messages.
void read_sizes(weights::FileSizes& file, WhisperConfig& config, const std::string& section);

}  // namespace vllama::encoders
