#include "encoders/whisper_encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/gelu.h>
#include <fmt/format.h>

#include "core/error.h"
#include "encoders/size_rules.h"
#include "nn/attention.h"
#include "nn/recompute.h"
#include "nn/shape_text.h"

namespace vllama::encoders {
namespace {

constexpr double kWhisperEpsilon = 1e-5;
constexpr std::int64_t kKernelFrames = 3;

}  // namespace

WhisperBlock::WhisperBlock(const WhisperConfig& config)
    : attention_norm(config.width, kWhisperEpsilon),
      query(config.width, config.width),
      key(config.width, config.width, /*has_bias=*/false),
      value(config.width, config.width),
      output(config.width, config.width),
      mlp_norm(config.width, kWhisperEpsilon),
      fc1(config.width, config.mlp_width),
      fc2(config.mlp_width, config.width),
      num_heads(config.num_heads) {}

void WhisperBlock::declare(nn::ParameterList& list, const std::string& prefix) {
  const auto linear = [&](nn::Linear& layer, const char* name) {
    layer.declare(list, prefix + name, nn::normal_by_fan_in(layer.inputs));
  };
  linear(key, ".self_attn.k_proj");
  linear(value, ".self_attn.v_proj");
  linear(query, ".self_attn.q_proj");
  linear(output, ".self_attn.out_proj");
  attention_norm.declare(list, prefix + ".self_attn_layer_norm");
  linear(fc1, ".fc1");
  linear(fc2, ".fc2");
  mlp_norm.declare(list, prefix + ".final_layer_norm");
}

at::Tensor WhisperBlock::operator()(const at::Tensor& tokens_RD, const nn::Segments& pieces) const {
  const auto heads = [this](const at::Tensor& rows) {
    return rows.view({rows.size(0), num_heads, -1});
  };
  const at::Tensor normed_RD = attention_norm(tokens_RD);
  const at::Tensor context_RHK =
      nn::attention(heads(query(normed_RD)), heads(key(normed_RD)), heads(value(normed_RD)), pieces,
                    pieces, /*causal=*/false);
  const at::Tensor attended_RD = tokens_RD + output(context_RHK.flatten(1));
  return attended_RD + fc2(at::gelu(fc1(mlp_norm(attended_RD))));
}

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
      blocks_(static_cast<std::size_t>(config.num_blocks), WhisperBlock(config)),
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
    blocks_[i].declare(list, prefix + "layers." + std::to_string(i));
  norm_.declare(list, prefix + "layer_norm");
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
  at::Tensor tokens_RD = (second_(first_(mel_NMT)).transpose(1, 2) + positions_LD_).flatten(0, 1);
  for (const WhisperBlock& block : blocks_)
    tokens_RD = nn::recompute_in_backward(
        [&block, pieces](const at::Tensor& tokens) { return block(tokens, pieces); }, tokens_RD);
  return norm_(tokens_RD);
}

}  // namespace vllama::encoders
