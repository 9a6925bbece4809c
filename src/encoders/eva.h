// EVA ViT with the LayerNorm behind it, as BLIP-2 reads it: its sizes, and how the encoder is made.
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

struct EvaVitConfig {
  static constexpr char kKind[] = "eva_vit_g";

  config::Size image_size = config::Size::published(224);
  config::Size patch_size = config::Size::published(14);
  config::Size width = config::Size::published(1408);
  config::Size num_blocks = config::Size::published(39);
  config::Size num_heads = config::Size::published(16);
  config::Size mlp_width = config::Size::published(6144);

  std::int64_t num_patches_per_side() const { return image_size / patch_size; }
  std::int64_t num_tokens() const { return num_patches_per_side() * num_patches_per_side() + 1; }

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("image_size", image_size, "side of the square input image, in pixels", positive);
    field("patch_size", patch_size, "side of a patch, in pixels", positive);
    field("width", width, "features per token", positive);
    field("num_blocks", num_blocks, "blocks used; further blocks of the file are ignored",
          positive);
    field("num_heads", num_heads, "attention heads", positive);
    field("mlp_width", mlp_width, "hidden width of the feed-forward layers", positive);
  }
};

std::unique_ptr<Encoder> make_encoder(const EvaVitConfig& sizes, const SharedSpace& space);

// Takes the sizes that the file tells; `section` begins their keys in messages. From the published
// file the last but one block is read, unless num_blocks says otherwise; image_size may be another
// than the file's.
void read_sizes(weights::FileSizes& file, EvaVitConfig& config, const std::string& section);

}  // namespace vllama::encoders
