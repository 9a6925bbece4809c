#include "train/show/sample_losses.h"

#include <fmt/format.h>

#include "core/error.h"
#include "models/load_video_llama.h"
#include "train/device.h"
#include "train/step_health.h"

namespace vllama::train {
namespace {

// As the run computes, with each sample a step.
RunConfig prepared(RunConfig config) {
  if (config.num_threads > 0) at::set_num_threads(static_cast<int>(config.num_threads));
  config.training.batch_size = 1;
  return config;
}

checkpoint::LoadedStep load(const RunConfig& config, const std::filesystem::path& path) {
  if (!path.empty()) return checkpoint::load_step(path);
  const auto root = std::filesystem::path(config.output_dir) / "checkpoints";
  auto newest = checkpoint::load_newest_step(root);
  if (!newest)
    throw UserError(fmt::format("--losses: '{}' holds no checkpoint; name one", root.string()));
  return *std::move(newest);
}

}  // namespace

SampleLosses::SampleLosses(const RunConfig& config, const std::filesystem::path& checkpoint,
                           std::int64_t image_token)
    : config_(one_sample_a_step(config)),
      image_token_(image_token),
      model_(
          models::load_video_llama(config_.model, chosen_device(config_.device, {}), config_.seed)),
      trainer_(config_, *model_, one_rank_) {
  const auto saved = load(config, checkpoint);
  checkpoint_ = saved.directory.path.string();
  trainer_.load_state(saved.contents.tensors);
}

SampleLoss SampleLosses::of(const processors::Example& example) {
  SampleLoss result{};
  trainer_.step(
      0,
      [&] {
        return datasets::LoadedBatch{processors::pack(std::span(&example, 1), image_token_), {}};
      },
      {},
      [&result](StepMetrics& metrics) {
        result = {metrics.loss, metrics.gradient_norm, unusable(metrics)};
        metrics.skipped = true;  // nothing is to be trained here
      });
  return result;
}

}  // namespace vllama::train
