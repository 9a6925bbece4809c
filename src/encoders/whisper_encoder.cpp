#include "encoders/whisper_encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/gelu.h>
#include <fmt/format.h>

#include "core/error.h"
#include "encoders/size_rules.h"
#include "nn/block_matrices.h"
#include "nn/shape_text.h"

namespace vllama::encoders {
namespace {

constexpr double kWhisperEpsilon = 1e-5;
constexpr std::int64_t kKernelFrames = 3;
constexpr PreNormBlock::Names kWhisperBlockNames{.attention_norm = ".self_attn_layer_norm",
                                                 .mlp_norm = ".final_layer_norm",
                                                 .fc1 = ".fc1",
                                                 .fc2 = ".fc2"};

at::Tensor exact_gelu(const at::Tensor& values) {
  return at::gelu(values);
}

std::string block_name(const std::string& prefix, std::size_t index) {
  return prefix + "layers." + std::to_string(index);
}

PreNormBlock::Settings block_settings(const WhisperConfig& config) {
  return {.width = config.width,
          .num_heads = config.num_heads,
          .mlp_width = config.mlp_width,
          .epsilon = kWhisperEpsilon,
          .keys_have_bias = false,
          .activation = exact_gelu};
}

}  // namespace

void WhisperTrunk::Convolution::declare(nn::ParameterList& list, const std::string& prefix,
                                        std::int64_t inputs, std::int64_t outputs) {
  list.push_back({prefix + ".weight",
                  {outputs, inputs, kKernelFrames},
                  &kernel_DM3,
                  nn::normal_by_fan_in(inputs * kKernelFrames)});
  list.push_back({prefix + ".bias", {outputs}, &bias_D, nn::kZeros});
}

at::Tensor WhisperTrunk::Convolution::operator()(const at::Tensor& values_NMT) const {
  const std::vector<std::int64_t> steps{stride}, padding{kKernelFrames / 2};
  return at::gelu(at::conv1d(values_NMT, kernel_DM3, bias_D, steps, padding));
}

WhisperTrunk::WhisperTrunk(const WhisperConfig& config)
    : config_(config),
      blocks_(static_cast<std::size_t>(config.num_blocks), PreNormBlock(block_settings(config))),
      norm_(config.width, kWhisperEpsilon) {}

void WhisperTrunk::declare(nn::ParameterList& list, const std::string& prefix) {
  check_multiple("model.audio.audio_encoder", "width", config_.width, "num_heads",
                 config_.num_heads);
  first_.declare(list, prefix + "conv1", config_.num_mel_bins, config_.width);
  second_.declare(list, prefix + "conv2", config_.width, config_.width);
  list.push_back({prefix + "embed_positions.weight",
                  {config_.max_positions, config_.width},
                  &positions_LD_,
                  nn::normal(0.02)});
  for (std::size_t i = 0; i < blocks_.size(); ++i)
    blocks_[i].declare(list, block_name(prefix, i), kWhisperBlockNames);
  norm_.declare(list, prefix + "layer_norm");
}

std::vector<nn::NamedLinear> WhisperTrunk::block_matrices(const std::string& prefix) {
  return nn::block_matrices(blocks_.size(), [&](std::size_t i) {
    return blocks_[i].matrices(block_name(prefix, i), kWhisperBlockNames);
  });
}

void WhisperTrunk::fit_positions() {
  if (positions_LD_.size(0) > config_.max_positions)
    positions_LD_ = positions_LD_.narrow(0, 0, config_.max_positions).clone();
}

at::Tensor WhisperTrunk::operator()(const at::Tensor& mel_NMT) const {
  VLLAMA_ASSERT(mel_NMT.dim() == 3 && mel_NMT.size(1) == config_.num_mel_bins &&
                    mel_NMT.size(2) == 2 * config_.max_positions,
                fmt::format("mel spectrograms must be [N, {}, {}], not {}",
                            std::int64_t{config_.num_mel_bins}, 2 * config_.max_positions,
                            nn::shape_text(mel_NMT)));
  const auto pieces = nn::Segments::equal(mel_NMT.size(0), config_.max_positions);
  const at::Tensor tokens_RD =
      (second_(first_(mel_NMT)).transpose(1, 2) + positions_LD_).flatten(0, 1);
  return norm_(through_blocks(blocks_, tokens_RD, pieces));
}

}  // namespace vllama::encoders
