#include "encoders/eva.h"

#include <algorithm>
#include <string_view>

#include "core/log.h"
#include "encoders/block_number.h"
#include "encoders/clip_pictures.h"
#include "encoders/encoder.h"
#include "encoders/eva_vit.h"
#include "encoders/patch_grid.h"
#include "encoders/transformer_cost.h"
#include "weights/file_sizes.h"

namespace vllama::encoders {
namespace {

constexpr double kNormEpsilon = 1e-5;
constexpr const char* kPositions = "pos_embed";
constexpr std::string_view kBlocks = "blocks.";

class EvaEncoder final : public Encoder {
 public:
  // declare() throws UserError for sizes that do not fit together.
  explicit EvaEncoder(const EvaVitConfig& config);

  samples::EncoderInput input() const override;
  std::int64_t tokens_per_unit() const override { return vit_.config().num_tokens(); }
  std::int64_t width() const override { return vit_.config().width; }

  // frames_FHWC uint8 -> images_FCHW in the type of the weights
  at::Tensor prepared(const at::Tensor& frames_FHWC) const override;
  at::Tensor operator()(const at::Tensor& images_FCHW) const override;

  // Names of eva_vit_g.pth, and "ln_vision" of the BLIP-2 file.
  void declare(nn::ParameterList& list) override { vit_.declare(list); }
  void declare_output_norm(nn::ParameterList& list) override { norm_.declare(list, "ln_vision"); }
  // eva_vit_g.pth holds one block more than BLIP-2 uses, a final norm and a classification head.
  bool is_unused(const std::string& name) const override;

  // The position table ("pos_embed") may be for another image size: it is read in the shape it has
  // in the file and resized.
  void take_shapes(nn::ParameterList& parameters, const weights::TensorSource& file) const override;
  void finish_reading(const weights::TensorSource& file) override;

  EncoderCost cost_per_unit() const override;
  std::int64_t num_blocks() const override { return vit_.config().num_blocks; }
  std::vector<nn::NamedLinear> block_matrices() override { return vit_.block_matrices(); }
  bool is_in_last_blocks(const std::string& name, std::int64_t count) const override {
    return block_number(name, kBlocks).value_or(-1) >= num_blocks() - count;
  }

 private:
  EvaVit vit_;
  nn::LayerNorm norm_;
};

EvaEncoder::EvaEncoder(const EvaVitConfig& config)
    : vit_(config), norm_(config.width, kNormEpsilon) {}

samples::EncoderInput EvaEncoder::input() const {
  return clip_pictures(vit_.config().image_size);
}

at::Tensor EvaEncoder::prepared(const at::Tensor& frames_FHWC) const {
  return normalized(frames_FHWC, clip_pictures(vit_.config().image_size), vit_.dtype());
}

at::Tensor EvaEncoder::operator()(const at::Tensor& images_FCHW) const {
  return norm_(vit_(images_FCHW)).flatten(0, 1);
}

bool EvaEncoder::is_unused(const std::string& name) const {
  if (const auto block = block_number(name, kBlocks)) return *block >= vit_.config().num_blocks;
  return name.starts_with("norm.") || name.starts_with("head.");
}

void EvaEncoder::take_shapes(nn::ParameterList& parameters,
                             const weights::TensorSource& file) const {
  const auto positions = std::ranges::find(parameters, kPositions, &nn::Parameter::name);
  if (positions == parameters.end()) return;
  for (const weights::TensorFacts& facts : file.tensors())
    if (facts.name == kPositions && facts.shape.size() == 3 &&
        facts.shape[2] == positions->shape[2] && grid_side(facts.shape[1]))
      positions->shape[1] = facts.shape[1];
}

void EvaEncoder::finish_reading(const weights::TensorSource& file) {
  if (const auto from = vit_.fit_positions())
    log::info("resized the position table of '{}' from {} to {} tokens",
              file.tensors().front().file, *from, vit_.config().num_tokens());
}

EncoderCost EvaEncoder::cost_per_unit() const {
  const EvaVitConfig& config = vit_.config();
  return transformer_cost(config, 3 * config.patch_size * config.patch_size);
}

}  // namespace

std::unique_ptr<Encoder> make_encoder(const EvaVitConfig& sizes, const SharedSpace& /*space*/) {
  return std::make_unique<EvaEncoder>(sizes);
}

void read_sizes(weights::FileSizes& file, EvaVitConfig& config, const std::string& section) {
  using config::Size;
  const weights::TensorShapes& shapes = file.shapes();
  const bool is_there = shapes.holds("cls_token") || shapes.holds("blocks.0.norm1.weight");
  if (!is_there) return;
  file.take(section + ".width", config.width, "cls_token", 2);
  file.take(section + ".patch_size", config.patch_size, "patch_embed.proj.weight", 2);
  file.take(section + ".mlp_width", config.mlp_width, "blocks.0.mlp.fc1.weight", 0);
  // The published file also has the last block, its norm and a classifier, which BLIP-2 leaves out.
  const bool is_whole = shapes.holds_any("norm.") || shapes.holds_any("head.");
  const std::int64_t num_blocks = shapes.count_numbered("blocks.");
  if (!config.num_blocks.is_given() && is_whole && num_blocks > 1)
    config.num_blocks = Size::published(num_blocks - 1);
  else if (!config.num_blocks.is_given() || config.num_blocks > num_blocks)
    file.take_count(section + ".num_blocks", config.num_blocks, "blocks.", "attn.qkv.weight");
  if (const auto side = image_side(shapes.extent(kPositions, 1), config.patch_size);
      side && !config.image_size.is_given())
    config.image_size = Size::published(*side);
  file.check_heads(section, config.num_heads, config.width, EvaVitConfig{}.width);
}

}  // namespace vllama::encoders
