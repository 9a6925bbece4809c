#include "train/plan/memory_estimate.h"

#include <algorithm>
#include <string_view>

namespace vllama::train {

std::int64_t MemoryEstimate::total_bytes() const {
  return frozen_weights_bytes + gathered_layers_bytes + trained_state_bytes + activations_bytes +
         encoder_bytes + logits_bytes + remembered_bytes;
}

namespace {

// The largest working set of the frozen image encoders, in numbers.
std::int64_t encoder_numbers(const models::ModelConfig& model, std::int64_t num_frames) {
  const auto numbers = [num_frames](const auto& encoder, std::int64_t frames_at_once) {
    return std::min(num_frames, frames_at_once) * encoder.num_tokens() * 4 * encoder.mlp_width;
  };
  std::int64_t largest = 0;
  if (model.has_vision()) largest = numbers(model.vision.encoder, model.vision.frames_at_once);
  if (model.has_audio())
    largest = std::max(largest, numbers(model.audio.vision_encoder, model.audio.inputs_at_once));
  return largest;
}

std::int64_t matrix_numbers_of_layer(const language::LlamaConfig& language_model) {
  const std::int64_t heads = language_model.num_heads + language_model.num_key_value_heads;
  return language_model.width *
         (2 * heads * language_model.head_width + 3 * language_model.mlp_width);
}

std::int64_t share_of(std::int64_t numbers, std::int64_t num_parts) {
  return (numbers + num_parts - 1) / num_parts;
}

}  // namespace

MemoryEstimate estimate_memory(const models::ModelConfig& model,
                               const language::LlamaConfig& language_model, std::int64_t num_frozen,
                               std::int64_t num_trained, const BatchShape& batch,
                               const Sharding& sharding) {
  const std::int64_t bytes_per_number = model.precision == "bf16" ? 2 : 4;
  const std::int64_t width = language_model.width, mlp = language_model.mlp_width;
  const auto trained = models::trained_modules(model);
  const auto trains = [&trained](std::string_view module) {
    return std::ranges::find(trained, module, &models::TrainedModule::module) != trained.end();
  };
  const bool matrices_train = trains("lora") || trains("language_model");
  const std::int64_t layer_numbers = 6 * width + 2 * mlp + (matrices_train ? 2 * width + mlp : 0);
  const std::int64_t saved_numbers = model.recompute_layers
                                         ? language_model.num_layers * width + layer_numbers
                                         : language_model.num_layers * layer_numbers;
  const encoders::EvaVitConfig& encoder = model.vision.encoder;
  const std::int64_t num_kept_tokens =
      trains("image_q_former") ? batch.num_frames * encoder.num_tokens() : 0;
  const std::int64_t layer = matrix_numbers_of_layer(language_model);
  const int num_memories =
      (model.has_vision() && !trains("image_q_former") ? 1 : 0) + (model.has_audio() ? 2 : 0);
  const std::int64_t num_parts = sharding.num_language_model_parts;
  const std::int64_t num_elsewhere =
      language_model.num_layers * (layer - share_of(layer, num_parts));
  return {
      .frozen_weights_bytes = (num_frozen - num_elsewhere) * bytes_per_number,
      .gathered_layers_bytes = num_parts > 1 ? 2 * layer * bytes_per_number : 0,
      .trained_state_bytes =
          (2 * num_trained + 2 * share_of(num_trained, sharding.num_optimizer_parts)) * 4,
      .activations_bytes = batch.num_tokens * saved_numbers * bytes_per_number,
      .encoder_bytes =
          (encoder_numbers(model, batch.num_frames) + num_kept_tokens * encoder.width) *
          bytes_per_number,
      .logits_bytes = std::min(model.loss_rows_at_once, batch.num_tokens) *
                      language_model.vocabulary_size * (2 * bytes_per_number + 2 * 4),
      .remembered_bytes = model.feature_memory_bytes * num_memories,
  };
}

}  // namespace vllama::train
