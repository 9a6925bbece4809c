// The image towers of CLIP and of SigLIP, which also serves SigLIP 2 at a fixed resolution: their
// sizes, and how they are made.
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

// What both have; the numbers are those of the kind.
struct ImageTowerSizes {
  config::Size image_size, patch_size, width, num_blocks, num_heads, mlp_width;
  std::int64_t layer = 0;

  std::int64_t num_patches_per_side() const { return image_size / patch_size; }
  std::int64_t num_patches() const { return num_patches_per_side() * num_patches_per_side(); }
  // Blocks that are computed.
  std::int64_t num_used_blocks() const { return num_blocks + (layer == 0 ? 0 : layer + 1); }

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("image_size", image_size, "side of the square input image, in pixels", positive);
    field("patch_size", patch_size, "side of a patch, in pixels", positive);
    field("width", width, "features per token", positive);
    field("num_blocks", num_blocks, "transformer blocks that the file has", positive);
    field("num_heads", num_heads, "attention heads", positive);
    field("mlp_width", mlp_width, "hidden width of the feed-forward layers", positive);
    field("layer", layer,
          "which layer feeds the branch: 0, the last one and the norm behind it; -1, the last "
          "block; -2, the last but one, as LLaVA reads it; ...",
          config::Range<std::int64_t>{-1000, 0});
  }
};

// ViT-L/14 at 336 pixels where neither file nor configuration says otherwise. The class token is
// computed with, and not handed on.
struct ClipConfig : ImageTowerSizes {
  static constexpr char kKind[] = "clip";

  ClipConfig()
      : ImageTowerSizes{.image_size = config::Size::published(336),
                        .patch_size = config::Size::published(14),
                        .width = config::Size::published(1024),
                        .num_blocks = config::Size::published(24),
                        .num_heads = config::Size::published(16),
                        .mlp_width = config::Size::published(4096)} {}

  std::int64_t num_tokens() const { return num_patches() + 1; }
};

// so400m/14 at 384 pixels.
struct SiglipConfig : ImageTowerSizes {
  static constexpr char kKind[] = "siglip";

  SiglipConfig()
      : ImageTowerSizes{.image_size = config::Size::published(384),
                        .patch_size = config::Size::published(14),
                        .width = config::Size::published(1152),
                        .num_blocks = config::Size::published(27),
                        .num_heads = config::Size::published(16),
                        .mlp_width = config::Size::published(4304)} {}

  std::int64_t num_tokens() const { return num_patches(); }
};

std::unique_ptr<Encoder> make_encoder(const ClipConfig& sizes, const SharedSpace& space);
std::unique_ptr<Encoder> make_encoder(const SiglipConfig& sizes, const SharedSpace& space);

// Take the sizes that the file tells, and what only the config.json of its folder does; `section`
// begins their keys in messages. image_size may be another than the file's.
void read_sizes(weights::FileSizes& file, ClipConfig& config, const std::string& section);
void read_sizes(weights::FileSizes& file, SiglipConfig& config, const std::string& section);

}  // namespace vllama::encoders
