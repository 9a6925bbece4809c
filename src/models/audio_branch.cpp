#include "models/audio_branch.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <cmath>

#include "core/error.h"

namespace vllama::models {
namespace {

constexpr double kLargestAudioFactor = 100;
constexpr double kInitialAudioFactor = 20;

template <class Encoder>
at::Tensor encode_in_parts(const Encoder& encoder, const at::Tensor& inputs,
                           std::int64_t inputs_at_once) {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : inputs.split(inputs_at_once)) parts.push_back(encoder(part));
  return at::cat(parts);
}

}  // namespace

AudioBranch::AudioBranch(const AudioConfig& config, std::int64_t language_width)
    : config_(config),
      vision_encoder_(config.vision_encoder, config.embedding_width),
      audio_encoder_(config.audio_encoder, config.embedding_width),
      positions_({config.positions, config.position_rows}, config.max_positions,
                 config.embedding_width, "model.audio"),
      audio_q_former_(config.audio_q_former, config.embedding_width),
      projection_(config.audio_q_former.width, language_width) {}

void AudioBranch::declare_trunks(nn::ParameterList& list) {
  vision_encoder_.declare(list);
  audio_encoder_.declare(list);
  list.push_back(
      {kLogAudioFactorName, {}, &log_audio_factor_, nn::constant(std::log(kInitialAudioFactor))});
}

void AudioBranch::declare_trainable(nn::ParameterList& list) {
  audio_q_former_.declare_queries(list, "audio_query_tokens");
  audio_q_former_.declare_layers(list, "audio_Qformer.bert");
  const nn::Initial bound = nn::uniform_by_fan_in(projection_.inputs);
  projection_.declare(list, "audio_llama_proj", bound, bound);
  positions_.declare(list, "audio_position_embedding");
}

at::Tensor AudioBranch::encode_frames(const at::Tensor& images_FCHW) const {
  const at::AutoGradMode no_graph(false);
  const at::Tensor units_FE = encode_in_parts(vision_encoder_, images_FCHW, config_.inputs_at_once);
  return equal_scale() ? units_FE * std::sqrt(static_cast<double>(config_.embedding_width))
                       : units_FE;
}

at::Tensor AudioBranch::encode_clips(const at::Tensor& mel_K1MT) const {
  const at::AutoGradMode no_graph(false);
  const at::Tensor units_KE = encode_in_parts(audio_encoder_, mel_K1MT, config_.inputs_at_once);
  return equal_scale() ? units_KE * std::sqrt(static_cast<double>(config_.embedding_width))
                       : units_KE * published_audio_factor();
}

at::Tensor AudioBranch::published_audio_factor() const {
  return log_audio_factor_.to(at::kFloat).exp().clamp_max(kLargestAudioFactor);
}

at::Tensor AudioBranch::embed_clips(const at::Tensor& embeddings_RE,
                                    const std::vector<std::int64_t>& rows_per_item,
                                    const nn::Dropout& dropout) const {
  for (const std::int64_t num_rows : rows_per_item)
    if (num_rows > positions_.most_rows())
      throw UserError(
          fmt::format("{} frames or sound clips do not fit model.audio.max_positions = {}; "
                      "model.audio.positions: interpolated takes any number",
                      num_rows, std::int64_t{config_.max_positions}));
  const nn::Segments items(rows_per_item);
  const at::Tensor placed_RE = embeddings_RE.to(at::kFloat) + positions_(rows_per_item);
  return projection_(audio_q_former_(placed_RE, items, dropout));
}

}  // namespace vllama::models
