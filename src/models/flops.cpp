#include "models/flops.h"

namespace vllama::models {
namespace {

constexpr double kTrainedPasses = 3;  // forward, gradients of activations, gradients of weights
constexpr double kAttentionBackward = 2.5;

// A product of [rows, inputs] with [inputs, outputs].
double product(double rows, double inputs, double outputs) {
  return 2 * rows * inputs * outputs;
}

// Scores and their weighted sum, `queries` times `keys`, in all heads together.
double attention(double queries, double keys, double width) {
  return 2 * product(queries, keys, width);
}

// An encoder of patches with `patch_elements` numbers each; `extra_keys` are attended to beside the
// tokens.
template <class EncoderConfig>
double encoder_per_input(const EncoderConfig& config, std::int64_t patch_elements,
                         double extra_keys = 0) {
  const auto tokens = static_cast<double>(config.num_tokens());
  const auto width = static_cast<double>(config.width);
  const auto mlp_width = static_cast<double>(config.mlp_width);
  const double block = product(tokens, width, 4 * width) + 2 * product(tokens, width, mlp_width) +
                       attention(tokens, tokens + extra_keys, width);
  return static_cast<double>(config.num_blocks) * block +
         product(tokens - 1, static_cast<double>(patch_elements), width);
}

double vit_per_frame(const encoders::EvaVitConfig& config) {
  return encoder_per_input(config, 3 * config.patch_size * config.patch_size);
}

// The kernel of the patches spans two frames in time. (The encoder here sums it over them, which
// saves 0.1 % of the whole.)
double image_bind_per_frame(const encoders::ImageBindVisionConfig& config,
                            std::int64_t embedding_width) {
  return encoder_per_input(config, 2 * 3 * config.patch_size * config.patch_size) +
         product(1, static_cast<double>(config.width), static_cast<double>(embedding_width));
}

double image_bind_per_clip(const encoders::ImageBindAudioConfig& config,
                           std::int64_t embedding_width) {
  return encoder_per_input(config, config.kernel_size * config.kernel_size, /*extra_keys=*/1) +
         product(1, static_cast<double>(config.width), static_cast<double>(embedding_width));
}

// One sample with `states` encoder rows.
double q_former_per_sample(const QFormerConfig& config, double states, double encoder_width) {
  const auto queries = static_cast<double>(config.num_queries);
  const auto width = static_cast<double>(config.width);
  const double self = product(queries, width, 4 * width) + attention(queries, queries, width);
  const double cross = product(queries, width, 2 * width) +
                       2 * product(states, encoder_width, width) +
                       attention(queries, states, width);
  const double feed_forward = 2 * product(queries, width, static_cast<double>(config.mlp_width));
  const std::int64_t num_cross =
      (config.num_layers + config.cross_attention_every - 1) / config.cross_attention_every;
  return static_cast<double>(config.num_layers) * (self + feed_forward) +
         static_cast<double>(num_cross) * cross;
}

double decoder_linears_per_token(const language::LlamaConfig& config) {
  const auto width = static_cast<double>(config.width);
  const auto query_width = static_cast<double>(config.num_heads * config.head_width);
  const auto key_width = static_cast<double>(config.num_key_value_heads * config.head_width);
  return static_cast<double>(config.num_layers) *
         (product(1, width, 2 * query_width + 2 * key_width) +
          product(1, width, 3 * static_cast<double>(config.mlp_width)));
}

// A token attends to itself and those before it: half of all pairs.
double causal_attention(const language::LlamaConfig& config, double tokens) {
  const auto query_width = static_cast<double>(config.num_heads * config.head_width);
  return static_cast<double>(config.num_layers) * attention(tokens, tokens, query_width) / 2;
}

// The trained Q-Former and its projection, forward and backward, for one sample.
double trained_per_sample(const QFormerConfig& config, double states, double encoder_width,
                          double language_width) {
  return kTrainedPasses * (q_former_per_sample(config, states, encoder_width) +
                           product(static_cast<double>(config.num_queries),
                                   static_cast<double>(config.width), language_width));
}

void add_language(StepFlops& flops, const language::LlamaConfig& language, const StepShape& shape) {
  for (const std::int64_t length : shape.sequence_lengths) {
    const auto tokens = static_cast<double>(length);
    const double linears = tokens * decoder_linears_per_token(language);
    const double attended = causal_attention(language, tokens);
    flops.language_forward += linears + attended;
    flops.language_backward += linears + kAttentionBackward * attended;
  }
  flops.logits =
      2 * product(static_cast<double>(shape.num_logit_rows), static_cast<double>(language.width),
                  static_cast<double>(language.vocabulary_size));
}

}  // namespace

double StepFlops::total() const {
  return vision + sound + image_q_former + video_q_former + audio_q_former + language_forward +
         language_backward + logits;
}

StepFlops step_flops(const VisionConfig& vision, const language::LlamaConfig& language,
                     const StepShape& shape) {
  StepFlops flops;
  const auto encoder_tokens = static_cast<double>(vision.encoder.num_tokens());
  const auto image_queries = static_cast<double>(vision.image_q_former.num_queries);
  for (const std::int64_t frames : shape.frames_per_sample) {
    const auto num_frames = static_cast<double>(frames);
    flops.vision += num_frames * vit_per_frame(vision.encoder);
    flops.image_q_former +=
        num_frames * q_former_per_sample(vision.image_q_former, encoder_tokens,
                                         static_cast<double>(vision.encoder.width));
    flops.video_q_former += trained_per_sample(vision.video_q_former, num_frames * image_queries,
                                               static_cast<double>(vision.image_q_former.width),
                                               static_cast<double>(language.width));
  }
  add_language(flops, language, shape);
  return flops;
}

StepFlops step_flops(const AudioConfig& audio, const language::LlamaConfig& language,
                     const StepShape& shape) {
  StepFlops flops;
  const auto add_samples = [&](const std::vector<std::int64_t>& inputs_per_sample,
                               double encoder_flops, double& encoder_sum) {
    for (const std::int64_t inputs : inputs_per_sample) {
      const auto num_inputs = static_cast<double>(inputs);
      encoder_sum += num_inputs * encoder_flops;
      flops.audio_q_former += trained_per_sample(audio.audio_q_former, num_inputs,
                                                 static_cast<double>(audio.embedding_width),
                                                 static_cast<double>(language.width));
    }
  };
  add_samples(shape.frames_per_sample,
              image_bind_per_frame(audio.vision_encoder, audio.embedding_width), flops.vision);
  add_samples(shape.sound_clips_per_sample,
              image_bind_per_clip(audio.audio_encoder, audio.embedding_width), flops.sound);
  add_language(flops, language, shape);
  return flops;
}

}  // namespace vllama::models
