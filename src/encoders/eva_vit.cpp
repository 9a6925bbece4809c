#include "encoders/eva_vit.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>

#include "core/error.h"
#include "encoders/pre_norm_block.h"
#include "encoders/size_rules.h"
#include "nn/attention.h"
#include "nn/block_matrices.h"
#include "nn/shape_text.h"

namespace vllama::encoders {
namespace {

constexpr double kEpsilon = 1e-6;

std::string block_name(std::size_t index) {
  return "blocks." + std::to_string(index);
}

}  // namespace

EvaBlock::EvaBlock(const EvaVitConfig& config)
    : attention_norm(config.width, kEpsilon),
      qkv(config.width, 3 * config.width, /*has_bias=*/false),
      projection(config.width, config.width),
      mlp_norm(config.width, kEpsilon),
      fc1(config.width, config.mlp_width),
      fc2(config.mlp_width, config.width),
      num_heads(config.num_heads) {}

void EvaBlock::declare(nn::ParameterList& list, const std::string& prefix) {
  attention_norm.declare(list, prefix + ".norm1");
  list.push_back({prefix + ".attn.q_bias", {qkv.inputs}, &q_bias_D, nn::kZeros});
  list.push_back({prefix + ".attn.v_bias", {qkv.inputs}, &v_bias_D, nn::kZeros});
  qkv.declare(list, prefix + ".attn.qkv", nn::normal_by_fan_in(qkv.inputs));
  projection.declare(list, prefix + ".attn.proj", nn::normal_by_fan_in(projection.inputs));
  mlp_norm.declare(list, prefix + ".norm2");
  fc1.declare(list, prefix + ".mlp.fc1", nn::normal_by_fan_in(fc1.inputs));
  fc2.declare(list, prefix + ".mlp.fc2", nn::normal_by_fan_in(fc2.inputs));
}

std::vector<nn::NamedLinear> EvaBlock::matrices(const std::string& prefix) {
  return {{prefix + ".attn.qkv", &qkv},
          {prefix + ".attn.proj", &projection},
          {prefix + ".mlp.fc1", &fc1},
          {prefix + ".mlp.fc2", &fc2}};
}

at::Tensor EvaBlock::attend(const at::Tensor& normed_RD, const nn::Segments& images) const {
  const at::Tensor bias = at::cat({q_bias_D, at::zeros_like(q_bias_D), v_bias_D});
  const at::Tensor qkv_R3HK =
      qkv.with_bias(normed_RD, bias).view({normed_RD.size(0), 3, num_heads, -1});
  const at::Tensor context_RHK =
      nn::attention(qkv_R3HK.select(1, 0), qkv_R3HK.select(1, 1), qkv_R3HK.select(1, 2), images,
                    images, /*causal=*/false);
  return projection(context_RHK.flatten(1));
}

at::Tensor EvaBlock::operator()(const at::Tensor& tokens_RD, const nn::Segments& images) const {
  const at::Tensor attended_RD = tokens_RD + attend(attention_norm(tokens_RD), images);
  return attended_RD + fc2(at::gelu(fc1(mlp_norm(attended_RD))));
}

EvaVit::EvaVit(const EvaVitConfig& config)
    : config_(config),
      patch_projection_(3 * config.patch_size * config.patch_size, config.width),
      blocks_(static_cast<std::size_t>(config.num_blocks), EvaBlock(config)) {}

void EvaVit::declare(nn::ParameterList& list, const std::string& prefix) {
  const std::string section = "model.vision.encoder";
  check_multiple(section, "image_size", config_.image_size, "patch_size", config_.patch_size);
  check_multiple(section, "width", config_.width, "num_heads", config_.num_heads);
  const std::int64_t patch = config_.patch_size;
  list.push_back(
      {prefix + "cls_token", {1, 1, config_.width}, &class_token_11D_, nn::normal(0.02)});
  list.push_back({prefix + "pos_embed",
                  {1, config_.num_tokens(), config_.width},
                  &positions_1LD_,
                  nn::normal(0.02)});
  list.push_back({prefix + "patch_embed.proj.weight",
                  {config_.width, 3, patch, patch},
                  &patch_projection_.weight_OI,
                  nn::normal_by_fan_in(patch_projection_.inputs)});
  list.push_back(
      {prefix + "patch_embed.proj.bias", {config_.width}, &patch_projection_.bias_O, nn::kZeros});
  for (std::size_t i = 0; i < blocks_.size(); ++i) blocks_[i].declare(list, prefix + block_name(i));
}

std::vector<nn::NamedLinear> EvaVit::block_matrices() {
  return nn::block_matrices(blocks_.size(),
                            [this](std::size_t i) { return blocks_[i].matrices(block_name(i)); });
}

at::Tensor EvaVit::embed_patches(const at::Tensor& images_NCHW) const {
  const std::vector<std::int64_t> stride{config_.patch_size, config_.patch_size};
  return at::conv2d(images_NCHW, patch_projection_.weight_OI, patch_projection_.bias_O, stride)
      .flatten(2)
      .transpose(1, 2);
}

at::Tensor EvaVit::operator()(const at::Tensor& images_NCHW) const {
  const std::int64_t num_images = images_NCHW.size(0);
  VLLAMA_ASSERT(images_NCHW.dim() == 4 && images_NCHW.size(2) == config_.image_size &&
                    images_NCHW.size(3) == config_.image_size,
                fmt::format("images must be [N, 3, {0}, {0}], not {1}",
                            std::int64_t{config_.image_size}, nn::shape_text(images_NCHW)));
  const auto images = nn::Segments::equal(num_images, config_.num_tokens());
  const at::Tensor class_tokens = class_token_11D_.expand({num_images, 1, config_.width});
  at::Tensor tokens_RD =
      (at::cat({class_tokens, embed_patches(images_NCHW)}, 1) + positions_1LD_).flatten(0, 1);
  tokens_RD = through_blocks(blocks_, tokens_RD, images);
  return tokens_RD.view({num_images, config_.num_tokens(), config_.width});
}

std::optional<std::int64_t> EvaVit::fit_positions() {
  const std::int64_t num_tokens = positions_1LD_.size(1);
  if (num_tokens == config_.num_tokens()) return std::nullopt;
  positions_1LD_ =
      resize_positions(positions_1LD_, config_.num_tokens()).to(positions_1LD_.scalar_type());
  return num_tokens;
}

}  // namespace vllama::encoders
