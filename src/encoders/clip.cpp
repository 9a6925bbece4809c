#include "encoders/clip.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/log.h"
#include "encoders/block_number.h"
#include "encoders/clip_pictures.h"
#include "encoders/encoder.h"
#include "encoders/hf_folder.h"
#include "encoders/image_tower.h"
#include "encoders/patch_grid.h"
#include "encoders/published_names.h"
#include "encoders/transformer_cost.h"
#include "weights/file_sizes.h"
#include "weights/values/readable.h"

namespace vllama::encoders {
namespace {

// Of a tower, or a model of pictures and texts, and of a tower inside of a larger model, as
// transformers 4 and 5 write it.
constexpr std::array<std::string_view, 5> kTowerPrefixes{
    "vision_model.", "", "vision_tower.vision_model.", "vision_tower.",
    "model.vision_tower.vision_model."};
constexpr std::string_view kPatches = "embeddings.patch_embedding.weight";
constexpr const char* kPositionEmbedding = "embeddings.position_embedding.weight";
constexpr std::string_view kLayers = "encoder.layers.";
constexpr const char* kVisionSection = "vision_config";

// SigLIP's pixels lie between -1 and 1.
samples::PictureInput siglip_pictures(std::int64_t side) {
  return {.side = side, .mean = {0.5, 0.5, 0.5}, .deviation = {0.5, 0.5, 0.5}};
}

class TowerEncoder final : public Encoder {
 public:
  TowerEncoder(const ImageTowerSizes& sizes, const ImageTowerKind& kind,
               samples::PictureInput pictures)
      : tower_(sizes, kind), pictures_(pictures) {}

  samples::EncoderInput input() const override { return pictures_; }
  std::int64_t tokens_per_unit() const override { return tower_.sizes().num_patches(); }
  std::int64_t width() const override { return tower_.sizes().width; }

  at::Tensor prepared(const at::Tensor& frames_FHWC) const override {
    return normalized(frames_FHWC, pictures_, tower_.dtype());
  }
  at::Tensor operator()(const at::Tensor& images_FCHW) const override {
    return tower_(images_FCHW);
  }

  void declare(nn::ParameterList& list) override {
    tower_.declare(list, std::string(kTowerPrefixes.front()));
  }
  bool is_unused(const std::string& name) const override;
  void take_shapes(nn::ParameterList& parameters, const weights::TensorSource& file) const override;
  void finish_reading(const weights::TensorSource& file) override;

  EncoderCost cost_per_unit() const override;
  std::int64_t num_blocks() const override { return tower_.sizes().num_used_blocks(); }
  std::vector<nn::NamedLinear> block_matrices() override {
    return tower_.block_matrices(std::string(kTowerPrefixes.front()));
  }
  bool is_in_last_blocks(const std::string& name, std::int64_t count) const override {
    if (name.find("post_layernorm.") != std::string::npos) return true;
    return block_number(name, kLayers).value_or(-1) >= num_blocks() - count;
  }

 private:
  ImageTower tower_;
  samples::PictureInput pictures_;
};

// What a file holds besides: the tower of texts, what joins both, blocks and norms behind the layer
// that is read.
bool TowerEncoder::is_unused(const std::string& name) const {
  const auto begins = [&name](std::string_view text) { return name.starts_with(text); };
  if (begins("text_model.") || begins("logit_") || begins("visual_projection.") ||
      begins("text_projection.") || name.ends_with(".position_ids") || begins("language_model.") ||
      begins("multi_modal_projector."))
    return true;
  for (const std::string_view prefix : kTowerPrefixes) {
    if (!begins(prefix)) continue;
    const std::string_view rest = std::string_view(name).substr(prefix.size());
    if (rest.starts_with("head.")) return true;
    if (rest.starts_with("post_layernorm.")) return tower_.sizes().layer != 0;
    if (const auto block = block_number(rest, kLayers); block && rest.starts_with(kLayers))
      return *block >= num_blocks() && *block < tower_.sizes().num_blocks;
  }
  return false;
}

void TowerEncoder::take_shapes(nn::ParameterList& parameters,
                               const weights::TensorSource& file) const {
  take_prefix(parameters, kTowerPrefixes, kPatches, file);
  const auto positions = std::ranges::find_if(
      parameters, [](const auto& entry) { return entry.name.ends_with(kPositionEmbedding); });
  if (positions == parameters.end()) return;
  for (const weights::TensorFacts& facts : file.tensors())
    if (facts.name == positions->name && facts.shape.size() == 2 &&
        facts.shape[1] == positions->shape[1] &&
        grid_side(facts.shape[0], tower_.num_class_tokens()))
      positions->shape[0] = facts.shape[0];
}

void TowerEncoder::finish_reading(const weights::TensorSource& file) {
  if (const auto from = tower_.fit_positions())
    log::info("resized the position table of '{}' from {} to {} tokens",
              file.tensors().front().file, *from, tower_.num_tokens());
}

EncoderCost TowerEncoder::cost_per_unit() const {
  struct {
    std::int64_t tokens, width, mlp_width, num_blocks;
    std::int64_t num_tokens() const { return tokens; }
  } const sizes{tower_.num_tokens(), tower_.sizes().width, tower_.sizes().mlp_width,
                tower_.sizes().num_used_blocks()};
  return transformer_cost(sizes, 3 * tower_.sizes().patch_size * tower_.sizes().patch_size);
}

// Three numbers, one for each colour.
void require_colours(const weights::ConfigJson& json, const std::string& name,
                     const std::array<double, 3>& expected) {
  if (!json.has(name)) return;
  const auto& values = json.object().at(name);
  bool agrees = values.is_array() && values.size() == expected.size();
  for (std::size_t i = 0; agrees && i < expected.size(); ++i)
    agrees = values[i].is_number() && std::abs(values[i].get<double>() - expected[i]) < 1e-3;
  if (!agrees)
    json.fail(name, fmt::format("is {}, and an encoder of this kind takes [{}, {}, {}]",
                                weights::shown(values), expected[0], expected[1], expected[2]));
}

// The side of pictures, as a preprocessor says it: a number, or below one of these names.
std::optional<std::int64_t> preprocessed_side(const weights::ConfigJson& json) {
  for (const char* key : {"crop_size", "size"}) {
    if (!json.has(key)) continue;
    const auto& value = json.object().at(key);
    if (value.is_number_integer()) return value.get<std::int64_t>();
    for (const char* side : {"height", "shortest_edge"})
      if (value.is_object() && value.contains(side) && value.at(side).is_number_integer())
        return value.at(side).get<std::int64_t>();
  }
  return std::nullopt;
}

void read_json(weights::FileSizes& file, ImageTowerSizes& sizes, const std::string& section,
               const std::string& activation, const samples::PictureInput& pictures,
               std::int64_t published_width) {
  std::optional<std::int64_t> image_size;
  const auto config = read_hf_config(file.path(), kVisionSection);
  if (config) {
    if (config->has("image_size")) image_size = config->positive("image_size");
    require_text(*config, "hidden_act", activation);
  }
  // Of patches that do not fill the picture, the table's size tells less than this.
  if (image_size && !sizes.image_size.is_given())
    sizes.image_size = config::Size::published(*image_size);
  if (const auto json = read_hf_preprocessor(file.path())) {
    const auto side = preprocessed_side(*json);
    if (image_size && side && side != image_size)
      json->fail("size",
                 fmt::format("is {}, but config.json says image_size {}: the folder's files "
                             "do not belong together",
                             *side, *image_size));
    require_colours(*json, "image_mean", pictures.mean);
    require_colours(*json, "image_std", pictures.deviation);
  }
  take_heads(file, section, sizes.num_heads, sizes.width, published_width, config,
             "num_attention_heads");
}

void read_tower_sizes(weights::FileSizes& file, ImageTowerSizes& sizes, const std::string& section,
                      std::int64_t num_class_tokens) {
  const weights::TensorShapes& shapes = file.shapes();
  for (const std::string_view prefix : kTowerPrefixes) {
    const std::string in_file(prefix);
    const std::string patches = in_file + std::string(kPatches),
                      blocks = in_file + std::string(kLayers);
    if (!shapes.holds(patches)) continue;
    file.take(section + ".width", sizes.width, patches, 0);
    file.take(section + ".patch_size", sizes.patch_size, patches, 2);
    file.take(section + ".mlp_width", sizes.mlp_width, blocks + "0.mlp.fc1.weight", 0);
    file.take_count(section + ".num_blocks", sizes.num_blocks, blocks, "mlp.fc1.weight");
    const auto num_tokens = shapes.extent(in_file + kPositionEmbedding, 0);
    const auto side = num_tokens ? grid_side(*num_tokens, num_class_tokens) : std::nullopt;
    if (side && !sizes.image_size.is_given() && sizes.num_patches_per_side() != *side)
      sizes.image_size = config::Size::published(*side * sizes.patch_size);
    break;
  }
}

}  // namespace

std::unique_ptr<Encoder> make_encoder(const ClipConfig& sizes, const SharedSpace& /*space*/) {
  return std::make_unique<TowerEncoder>(sizes, kClipTower, clip_pictures(sizes.image_size));
}

std::unique_ptr<Encoder> make_encoder(const SiglipConfig& sizes, const SharedSpace& /*space*/) {
  return std::make_unique<TowerEncoder>(sizes, kSiglipTower, siglip_pictures(sizes.image_size));
}

void read_sizes(weights::FileSizes& file, ClipConfig& config, const std::string& section) {
  read_tower_sizes(file, config, section, /*num_class_tokens=*/1);
  read_json(file, config, section, "quick_gelu", clip_pictures(config.image_size),
            ClipConfig{}.width);
}

void read_sizes(weights::FileSizes& file, SiglipConfig& config, const std::string& section) {
  read_tower_sizes(file, config, section, /*num_class_tokens=*/0);
  read_json(file, config, section, "gelu_pytorch_tanh", siglip_pictures(config.image_size),
            SiglipConfig{}.width);
}

}  // namespace vllama::encoders
