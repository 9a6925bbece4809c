// The memory that a run is expected to need, part by part.
#include <catch2/catch.hpp>

#include "train/plan/memory_estimate.h"

using namespace vllama;

namespace {

constexpr std::int64_t kNumFrozen = 7000000000;

train::MemoryEstimate estimate_of(const models::ModelConfig& model,
                                  const train::Sharding& sharding = {}) {
  const language::LlamaConfig language{
      .vocabulary_size = 32000, .width = 4096, .mlp_width = 11008, .num_layers = 32};
  return train::estimate_memory(model, language, kNumFrozen, 10,
                                {.num_tokens = 100, .num_frames = 8}, sharding);
}

train::MemoryEstimate estimate(const std::vector<models::TrainedModule>& trainable,
                               bool recompute = false, const train::Sharding& sharding = {}) {
  models::ModelConfig model;
  model.trainable = trainable;
  model.recompute_layers = recompute;
  return estimate_of(model, sharding);
}

}  // namespace

TEST_CASE("memory: what trains decides what is kept for the backward pass") {
  const auto published = estimate({});
  CHECK(published.frozen_weights_bytes == 2 * kNumFrozen);
  CHECK(published.trained_state_bytes == 16 * 10);
  CHECK(published.activations_bytes == std::int64_t{100} * 32 * (6 * 4096 + 2 * 11008) * 2);
  const auto adapted = estimate({{models::ModuleName::projection}, {models::ModuleName::lora}});
  CHECK(adapted.activations_bytes - published.activations_bytes ==
        std::int64_t{100} * 32 * (2 * 4096 + 11008) * 2);
  CHECK(estimate({{models::ModuleName::language_model}}).activations_bytes ==
        adapted.activations_bytes);
  CHECK(estimate({{models::ModuleName::lora}}, true).activations_bytes <
        published.activations_bytes / 5);
  const auto q_former = estimate({{models::ModuleName::image_q_former}});
  CHECK(q_former.encoder_bytes - published.encoder_bytes == std::int64_t{8} * 257 * 1408 * 2);
}

TEST_CASE("memory: what is spread over ranks") {
  const auto whole = estimate({});
  CHECK(whole.gathered_layers_bytes == 0);
  const auto optimizer = estimate({}, false, {.num_optimizer_parts = 4});
  CHECK(optimizer.trained_state_bytes == 10 * 8 + 3 * 8);
  CHECK(optimizer.frozen_weights_bytes == whole.frozen_weights_bytes);

  const auto layers = estimate({}, false, {.num_language_model_parts = 8});
  const std::int64_t layer_bytes = std::int64_t{2} * (4 * 4096 * 4096 + 3 * 4096 * 11008);
  CHECK(whole.frozen_weights_bytes - layers.frozen_weights_bytes == 32 * layer_bytes * 7 / 8);
  CHECK(layers.gathered_layers_bytes == 2 * layer_bytes);
  CHECK(layers.total_bytes() == whole.total_bytes() - 32 * layer_bytes * 7 / 8 + 2 * layer_bytes);
}

TEST_CASE("memory: every frozen encoder may fill its memory of features") {
  models::ModelConfig model;
  const std::int64_t nothing_kept = estimate_of(model).total_bytes();
  model.feature_memory_bytes = 1000;
  CHECK(estimate_of(model).total_bytes() == nothing_kept + 1000);
  model.branches = models::BranchSet::vision_and_audio;
  CHECK(estimate_of(model).remembered_bytes == 3000);
  model.trainable = {{models::ModuleName::image_q_former}};
  CHECK(estimate_of(model).remembered_bytes == 2000);
}
