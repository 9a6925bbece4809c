#include "train/plan/memory_estimate.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "core/divided_up.h"
#include "models/branch.h"

namespace vllama::train {

std::int64_t MemoryEstimate::total_bytes() const {
  return frozen_weights_bytes + gathered_layers_bytes + trained_state_bytes + activations_bytes +
         encoder_bytes + logits_bytes + remembered_bytes;
}

namespace {

// Of sound, each sample has a piece at least.
std::int64_t num_units(const encoders::Encoder& encoder, const BatchShape& batch) {
  const bool sees = std::holds_alternative<samples::PictureInput>(encoder.input());
  return sees ? batch.num_frames : batch.num_samples;
}

// The working set of the encoder that training uses, in numbers. Where pictures stand for sound in
// training, it is not heard.
std::int64_t working_numbers(const models::Branch& branch, const BatchShape& batch) {
  const encoders::Encoder& encoder = *branch.encoders().front();
  return std::min(num_units(encoder, batch), branch.units_at_once()) *
         encoder.cost_per_unit().working_numbers;
}

// What a resampler that trains keeps of its encoder's tokens for the backward pass.
std::int64_t kept_numbers(const models::Branch& branch, std::int64_t num_frames) {
  const encoders::Encoder& encoder = *branch.encoders().front();
  return num_frames * encoder.tokens_per_unit() * encoder.width();
}

// What an encoder that trains keeps for the backward pass: the inputs of its blocks, which are
// computed again one at a time.
std::int64_t kept_by_encoder(const models::Branch& branch, const BatchShape& batch,
                             std::int64_t num_trained_blocks) {
  const encoders::Encoder& encoder = *branch.encoders().back();
  return num_units(encoder, batch) * encoder.tokens_per_unit() * encoder.width() *
         num_trained_blocks;
}

std::int64_t matrix_numbers_of_layer(const language::LlamaConfig& language_model) {
  const std::int64_t heads = language_model.num_heads + language_model.num_key_value_heads;
  return language_model.width *
         (2 * heads * language_model.head_width + 3 * language_model.mlp_width);
}

}  // namespace

MemoryEstimate estimate_memory(const models::ModelConfig& model,
                               const language::LlamaConfig& language_model, std::int64_t num_frozen,
                               std::int64_t num_trained, const BatchShape& batch,
                               const Sharding& sharding) {
  const auto bytes_per_number =
      static_cast<std::int64_t>(c10::elementSize(models::frozen_type(model.precision)));
  const auto branches = models::make_branches(model, language_model.width);
  const std::int64_t width = language_model.width, mlp = language_model.mlp_width;
  const auto trained = models::trained_modules(model);
  const auto trains = [&trained](std::optional<models::ModuleName> module) {
    return std::ranges::any_of(trained, [&](const auto& entry) { return entry.module == module; });
  };
  const bool matrices_train =
      trains(models::ModuleName::lora) || trains(models::ModuleName::language_model);
  const std::int64_t layer_numbers = 6 * width + 2 * mlp + (matrices_train ? 2 * width + mlp : 0);
  const std::int64_t saved_numbers = model.recompute_layers
                                         ? language_model.num_layers * width + layer_numbers
                                         : language_model.num_layers * layer_numbers;
  std::int64_t kept_bytes = 0;
  std::int64_t working_bytes = 0;  // one encoder after the other
  std::int64_t num_memories = 0;
  for (const models::Branch& branch : branches) {
    const std::int64_t num_blocks = models::num_trained_blocks(
        trained, branch.names().place, branch.encoders().back()->num_blocks());
    const bool resampler_trains = trains(branch.names().resampler);
    const std::int64_t encoder_bytes = trains(branch.names().encoder) ? 4 : bytes_per_number;
    working_bytes = std::max(working_bytes, working_numbers(branch, batch) * encoder_bytes);
    kept_bytes += kept_by_encoder(branch, batch, num_blocks) * encoder_bytes;
    if (resampler_trains) kept_bytes += kept_numbers(branch, batch.num_frames) * encoder_bytes;
    if (!resampler_trains && num_blocks == 0) num_memories += std::ssize(branch.encoders());
  }
  const std::int64_t layer = matrix_numbers_of_layer(language_model);
  const std::int64_t num_parts = sharding.num_language_model_parts;
  const std::int64_t num_elsewhere =
      language_model.num_layers * (layer - divided_up(layer, num_parts));
  return {
      .frozen_weights_bytes = (num_frozen - num_elsewhere) * bytes_per_number,
      .gathered_layers_bytes = num_parts > 1 ? 2 * layer * bytes_per_number : 0,
      .trained_state_bytes =
          (2 * num_trained + 2 * divided_up(num_trained, sharding.num_optimizer_parts)) * 4,
      .activations_bytes = batch.num_tokens * saved_numbers * bytes_per_number,
      .encoder_bytes = working_bytes + kept_bytes,
      .logits_bytes = std::min(model.loss_rows_at_once, batch.num_tokens) *
                      language_model.vocabulary_size * (2 * bytes_per_number + 2 * 4),
      .remembered_bytes = model.feature_memory_bytes * num_memories,
  };
}

}  // namespace vllama::train
