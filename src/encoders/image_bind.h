// ImageBind's encoders of pictures and of sound: their sizes, and how they are made.
#pragma once

#include <memory>
#include <string>

#include "config/fields.h"
#include "samples/mel_size.h"

namespace vllama::weights {
class FileSizes;
}

namespace vllama::encoders {

class Encoder;
struct SharedSpace;

struct ImageBindVisionConfig {
  static constexpr char kKind[] = "image_bind";

  config::Size image_size = config::Size::published(224);
  config::Size patch_size = config::Size::published(14);
  config::Size width = config::Size::published(1280);
  config::Size num_blocks = config::Size::published(32);
  config::Size num_heads = config::Size::published(16);
  config::Size mlp_width = config::Size::published(5120);

  std::int64_t num_patches_per_side() const { return image_size / patch_size; }
  std::int64_t num_tokens() const { return num_patches_per_side() * num_patches_per_side() + 1; }

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("image_size", image_size, "side of the square input image, in pixels", positive);
    field("patch_size", patch_size, "side of a patch, in pixels", positive);
    field("width", width, "features per token", positive);
    field("num_blocks", num_blocks, "transformer blocks", positive);
    field("num_heads", num_heads, "attention heads", positive);
    field("mlp_width", mlp_width, "hidden width of the feed-forward layers", positive);
  }
};

struct ImageBindAudioConfig {
  static constexpr char kKind[] = "image_bind";

  config::Size kernel_size = config::Size::published(16);
  config::Size stride = config::Size::published(10);
  config::Size width = config::Size::published(768);
  config::Size num_blocks = config::Size::published(12);
  config::Size num_heads = config::Size::published(12);
  config::Size mlp_width = config::Size::published(3072);
  // Every clip is as large as samples::audio_clips makes it.
  static constexpr std::int64_t num_mel_bins = samples::kNumMelBins;
  static constexpr std::int64_t num_mel_frames = samples::kAudioClipFrames;

  std::int64_t num_tokens() const {
    return num_places(num_mel_bins) * num_places(num_mel_frames) + 1;
  }

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("kernel_size", kernel_size, "side of a patch of the mel spectrogram",
          config::Range<std::int64_t>{1, num_mel_bins});
    field("stride", stride, "distance between patches", positive);
    field("width", width, "features per token", positive);
    field("num_blocks", num_blocks, "transformer blocks", positive);
    field("num_heads", num_heads, "attention heads", positive);
    field("mlp_width", mlp_width, "hidden width of the feed-forward layers", positive);
  }

 private:
  std::int64_t num_places(std::int64_t length) const { return (length - kernel_size) / stride + 1; }
};

std::unique_ptr<Encoder> make_encoder(const ImageBindVisionConfig& sizes, const SharedSpace& space);
std::unique_ptr<Encoder> make_encoder(const ImageBindAudioConfig& sizes, const SharedSpace& space);

// Take the sizes that the file tells; `section` begins their keys in messages.
void read_sizes(weights::FileSizes& file, ImageBindVisionConfig& config,
                const std::string& section);
void read_sizes(weights::FileSizes& file, ImageBindAudioConfig& config, const std::string& section);
// That of the space, whose key is `key`.
void read_space_width(weights::FileSizes& file, config::Size& width, const std::string& key);

}  // namespace vllama::encoders
