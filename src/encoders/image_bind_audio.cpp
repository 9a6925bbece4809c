#include "encoders/image_bind_audio.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <fmt/format.h>

#include "core/error.h"
#include "encoders/size_rules.h"
#include "nn/shape_text.h"

namespace vllama::encoders {
namespace {

constexpr double kPatchNormEpsilon = 1e-5;  // unlike the norms of the blocks

}  // namespace

ImageBindAudio::ImageBindAudio(const ImageBindAudioConfig& config, std::int64_t embedding_width)
    : config_(config),
      patch_norm_(config.width, kPatchNormEpsilon),
      blocks_(static_cast<std::size_t>(config.num_blocks),
              ImageBindBlock({config.width, config.num_heads, config.mlp_width,
                              /*has_extra_key=*/true})),
      head_(config.width, embedding_width) {}

void ImageBindAudio::declare(nn::ParameterList& list) {
  check_multiple("model.audio.audio_encoder", "width", config_.width, "num_heads",
                 config_.num_heads);
  const std::int64_t kernel = config_.kernel_size, width = config_.width;
  const std::string prefix = "modality_preprocessors.audio.";
  list.push_back({prefix + "cls_token", {1, 1, width}, &class_token_11D_, nn::normal(0.02)});
  list.push_back({prefix + "rgbt_stem.proj.weight",
                  {width, 1, kernel, kernel},
                  &patch_projection_D1PP_,
                  nn::normal_by_fan_in(kernel * kernel)});
  patch_norm_.declare(list, prefix + "rgbt_stem.norm_layer");
  list.push_back({prefix + "pos_embedding_helper.pos_embed",
                  {1, config_.num_tokens(), width},
                  &positions_1LD_,
                  nn::normal(0.02)});
  for (std::size_t i = 0; i < blocks_.size(); ++i)
    blocks_[i].declare(list, "modality_trunks.audio.blocks." + std::to_string(i));
  head_.declare(list, "modality_heads.audio");
}

at::Tensor ImageBindAudio::embed_patches(const at::Tensor& mel_N1MT) const {
  VLLAMA_ASSERT(mel_N1MT.dim() == 4 && mel_N1MT.size(1) == 1 &&
                    mel_N1MT.size(2) == config_.num_mel_bins &&
                    mel_N1MT.size(3) == config_.num_mel_frames,
                fmt::format("mel spectrograms must be [N, 1, {}, {}], not {}",
                            ImageBindAudioConfig::num_mel_bins,
                            ImageBindAudioConfig::num_mel_frames, nn::shape_text(mel_N1MT)));
  const std::vector<std::int64_t> stride{config_.stride, config_.stride};
  const at::Tensor patches_NLD = at::conv2d(mel_N1MT.to(patch_projection_D1PP_.scalar_type()),
                                            patch_projection_D1PP_, {}, stride)
                                     .flatten(2)
                                     .transpose(1, 2);
  const at::Tensor class_tokens = class_token_11D_.expand({mel_N1MT.size(0), 1, config_.width});
  return at::cat({class_tokens, patch_norm_(patches_NLD)}, 1) + positions_1LD_;
}

at::Tensor ImageBindAudio::transform(const at::Tensor& tokens_NLD) const {
  const auto clips = nn::Segments::equal(tokens_NLD.size(0), tokens_NLD.size(1));
  at::Tensor tokens_RD = tokens_NLD.flatten(0, 1);
  for (const ImageBindBlock& block : blocks_) tokens_RD = block(tokens_RD, clips);
  return tokens_RD.view_as(tokens_NLD);
}

at::Tensor ImageBindAudio::operator()(const at::Tensor& mel_N1MT) const {
  return head_(transform(embed_patches(mel_N1MT)));
}

}  // namespace vllama::encoders
