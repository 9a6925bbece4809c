#include "encoders/image_tower.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/sigmoid.h>
#include <fmt/format.h>

#include "core/error.h"
#include "encoders/patch_grid.h"
#include "encoders/size_rules.h"
#include "nn/block_matrices.h"
#include "nn/shape_text.h"

namespace vllama::encoders {
namespace {

constexpr std::int64_t kColours = 3;

at::Tensor gelu_by_tanh(const at::Tensor& values) {
  return at::gelu(values, "tanh");
}

// x sigmoid(1.702 x), which the original CLIP was trained with.
at::Tensor quick_gelu(const at::Tensor& values) {
  return values * at::sigmoid(values * 1.702);
}

constexpr PreNormBlock::Names kTowerBlockNames{.attention_norm = ".layer_norm1",
                                               .mlp_norm = ".layer_norm2",
                                               .fc1 = ".mlp.fc1",
                                               .fc2 = ".mlp.fc2"};

std::string block_name(const std::string& prefix, std::size_t index) {
  return prefix + "encoder.layers." + std::to_string(index);
}

PreNormBlock::Settings block_settings(const ImageTowerSizes& sizes, const ImageTowerKind& kind) {
  return {.width = sizes.width,
          .num_heads = sizes.num_heads,
          .mlp_width = sizes.mlp_width,
          .epsilon = kind.norm_epsilon,
          .keys_have_bias = true,
          .activation = kind.activation};
}

}  // namespace

const ImageTowerKind kClipTower{
    .has_class_token = true, .norm_epsilon = 1e-5, .activation = quick_gelu};
const ImageTowerKind kSiglipTower{
    .has_class_token = false, .norm_epsilon = 1e-6, .activation = gelu_by_tanh};

ImageTower::ImageTower(const ImageTowerSizes& sizes, const ImageTowerKind& kind)
    : sizes_(sizes),
      kind_(kind),
      patch_projection_(kColours * sizes.patch_size * sizes.patch_size, sizes.width,
                        /*has_bias=*/!kind.has_class_token),
      first_norm_(sizes.width, kind.norm_epsilon),
      last_norm_(sizes.width, kind.norm_epsilon) {
  for (std::int64_t i = 0; i < sizes.num_used_blocks(); ++i)
    blocks_.emplace_back(block_settings(sizes, kind));
}

void ImageTower::declare(nn::ParameterList& list, const std::string& prefix) {
  const std::string section = "model.vision.encoder";
  check_multiple(section, "width", sizes_.width, "num_heads", sizes_.num_heads);
  if (sizes_.image_size < sizes_.patch_size)
    throw UserError(fmt::format("{0}.image_size is {1}, less than {0}.patch_size, {2}", section,
                                std::int64_t{sizes_.image_size}, std::int64_t{sizes_.patch_size}));
  if (blocks_.empty())
    throw UserError(fmt::format("{0}.layer is {1}, and {0}.num_blocks {2}: no block is left",
                                section, sizes_.layer, std::int64_t{sizes_.num_blocks}));
  const std::string embeddings = prefix + "embeddings.";
  const std::int64_t patch = sizes_.patch_size, width = sizes_.width;
  if (kind_.has_class_token)
    list.push_back({embeddings + "class_embedding", {width}, &class_token_D_, nn::normal(0.02)});
  list.push_back({embeddings + "patch_embedding.weight",
                  {width, kColours, patch, patch},
                  &patch_projection_.weight_OI,
                  nn::normal_by_fan_in(patch_projection_.inputs)});
  if (patch_projection_.biased)
    list.push_back(
        {embeddings + "patch_embedding.bias", {width}, &patch_projection_.bias_O, nn::kZeros});
  list.push_back({embeddings + "position_embedding.weight",
                  {num_tokens(), width},
                  &positions_LD_,
                  nn::normal(0.02)});
  if (kind_.has_class_token) first_norm_.declare(list, prefix + "pre_layrnorm");  // published so
  for (std::size_t i = 0; i < blocks_.size(); ++i)
    blocks_[i].declare(list, block_name(prefix, i), kTowerBlockNames);
  if (sizes_.layer == 0) last_norm_.declare(list, prefix + "post_layernorm");
}

std::vector<nn::NamedLinear> ImageTower::block_matrices(const std::string& prefix) {
  return nn::block_matrices(blocks_.size(), [&](std::size_t i) {
    return blocks_[i].matrices(block_name(prefix, i), kTowerBlockNames);
  });
}

at::Tensor ImageTower::embed_patches(const at::Tensor& images_NCHW) const {
  const std::vector<std::int64_t> stride{sizes_.patch_size, sizes_.patch_size};
  const std::optional<at::Tensor> bias =
      patch_projection_.biased ? std::optional(patch_projection_.bias_O) : std::nullopt;
  at::Tensor tokens_NLD =
      at::conv2d(images_NCHW, patch_projection_.weight_OI, bias, stride).flatten(2).transpose(1, 2);
  if (kind_.has_class_token)
    tokens_NLD =
        at::cat({class_token_D_.expand({images_NCHW.size(0), 1, sizes_.width}), tokens_NLD}, 1);
  return tokens_NLD + positions_LD_;
}

at::Tensor ImageTower::operator()(const at::Tensor& images_NCHW) const {
  VLLAMA_ASSERT(images_NCHW.dim() == 4 && images_NCHW.size(2) == sizes_.image_size &&
                    images_NCHW.size(3) == sizes_.image_size,
                fmt::format("images must be [N, 3, {0}, {0}], not {1}",
                            std::int64_t{sizes_.image_size}, nn::shape_text(images_NCHW)));
  const std::int64_t num_images = images_NCHW.size(0);
  const auto images = nn::Segments::equal(num_images, num_tokens());
  at::Tensor tokens_RD = embed_patches(images_NCHW).flatten(0, 1);
  if (kind_.has_class_token) tokens_RD = first_norm_(tokens_RD);
  tokens_RD = through_blocks(blocks_, tokens_RD, images);
  if (sizes_.layer == 0) tokens_RD = last_norm_(tokens_RD);
  if (!kind_.has_class_token) return tokens_RD;
  return tokens_RD.view({num_images, num_tokens(), -1})
      .narrow(1, 1, sizes_.num_patches())
      .flatten(0, 1);
}

std::optional<std::int64_t> ImageTower::fit_positions() {
  const std::int64_t there = positions_LD_.size(0);
  if (there == num_tokens()) return std::nullopt;
  positions_LD_ = resize_positions(positions_LD_.unsqueeze(0), num_tokens(), num_class_tokens())
                      .squeeze(0)
                      .to(positions_LD_.scalar_type());
  return there;
}

}  // namespace vllama::encoders
