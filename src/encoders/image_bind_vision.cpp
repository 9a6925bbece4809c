#include "encoders/image_bind_vision.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <fmt/format.h>

#include "core/error.h"
#include "encoders/size_rules.h"
#include "nn/shape_text.h"

namespace vllama::encoders {
namespace {

constexpr double kVisionEpsilon = 1e-6;
constexpr std::int64_t kNumChannels = 3, kNumFrames = 2;  // of the patch projection

}  // namespace

ImageBindVision::ImageBindVision(const ImageBindVisionConfig& config, std::int64_t embedding_width)
    : config_(config),
      input_norm_(config.width, kVisionEpsilon),
      blocks_(static_cast<std::size_t>(config.num_blocks),
              ImageBindBlock({config.width, config.num_heads, config.mlp_width,
                              /*has_extra_key=*/false})),
      head_(config.width, embedding_width) {}

void ImageBindVision::declare(nn::ParameterList& list) {
  const std::string section = "model.audio.vision_encoder";
  check_multiple(section, "image_size", config_.image_size, "patch_size", config_.patch_size);
  check_multiple(section, "width", config_.width, "num_heads", config_.num_heads);
  const std::int64_t patch = config_.patch_size, width = config_.width;
  const std::string prefix = "modality_preprocessors.vision.", trunk = "modality_trunks.vision.";
  list.push_back({prefix + "cls_token", {1, 1, width}, &class_token_11D_, nn::normal(0.02)});
  list.push_back({prefix + "rgbt_stem.proj.1.weight",
                  {width, kNumChannels, kNumFrames, patch, patch},
                  &patch_projection_DC2PP_,
                  nn::normal_by_fan_in(kNumChannels * kNumFrames * patch * patch)});
  list.push_back({prefix + "pos_embedding_helper.pos_embed",
                  {1, config_.num_tokens(), width},
                  &positions_1LD_,
                  nn::normal(0.02)});
  input_norm_.declare(list, trunk + "pre_transformer_layer.0");
  for (std::size_t i = 0; i < blocks_.size(); ++i)
    blocks_[i].declare(list, trunk + "blocks." + std::to_string(i));
  head_.declare(list, "modality_heads.vision");
}

at::Tensor ImageBindVision::embed_patches(const at::Tensor& images_NCHW) const {
  VLLAMA_ASSERT(images_NCHW.dim() == 4 && images_NCHW.size(2) == config_.image_size &&
                    images_NCHW.size(3) == config_.image_size,
                fmt::format("images must be [N, 3, {0}, {0}], not {1}",
                            std::int64_t{config_.image_size}, nn::shape_text(images_NCHW)));
  // Both frames in time are the same picture, so the sum of the kernel over time does.
  const at::Tensor kernel_DCPP = patch_projection_DC2PP_.sum({2});
  const std::vector<std::int64_t> stride{config_.patch_size, config_.patch_size};
  const at::Tensor patches_NLD =
      at::conv2d(images_NCHW, kernel_DCPP, {}, stride).flatten(2).transpose(1, 2);
  const at::Tensor class_tokens = class_token_11D_.expand({images_NCHW.size(0), 1, config_.width});
  return at::cat({class_tokens, patches_NLD}, 1) + positions_1LD_;
}

at::Tensor ImageBindVision::transform(const at::Tensor& tokens_NLD) const {
  const auto images = nn::Segments::equal(tokens_NLD.size(0), tokens_NLD.size(1));
  at::Tensor tokens_RD = input_norm_(tokens_NLD).flatten(0, 1);
  for (const ImageBindBlock& block : blocks_) tokens_RD = block(tokens_RD, images);
  return tokens_RD.view_as(tokens_NLD);
}

at::Tensor ImageBindVision::operator()(const at::Tensor& images_NCHW) const {
  return head_(transform(embed_patches(images_NCHW)));
}

}  // namespace vllama::encoders
