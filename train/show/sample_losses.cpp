#include "train/show/sample_losses.h"

#include <fmt/format.h>

#include "core/error.h"
#include "models/load_video_llama.h"
#include "train/device.h"
#include "train/step_health.h"

namespace vllama::train {
namespace {

// Each sample is a step.
RunConfig one_sample_a_step(RunConfig config) {
  config.training.batch_size = 1;
  return config;
}

at::Device prepared_device(const RunConfig& config) {
  set_num_threads(config.num_threads, {});
  return chosen_device(config.device, {});
}

checkpoint::LoadedStep load_checkpoint(const RunConfig& config, const std::filesystem::path& path) {
  if (!path.empty()) return checkpoint::load_step(path);
  const auto root = std::filesystem::path(config.output_dir) / "checkpoints";
  const auto found = checkpoint::load_newest_step(root);
  if (!found)
    throw UserError(fmt::format("--losses: '{}' holds no checkpoint; name one", root.string()));
  return *found;
}

}  // namespace

SampleLosses::SampleLosses(const RunConfig& config, const std::filesystem::path& checkpoint,
                           std::int64_t image_token)
    : config_(one_sample_a_step(config)),
      image_token_(image_token),
      model_(models::load_video_llama(config_.model, prepared_device(config_), config_.seed)),
      trainer_(config_, *model_, one_rank_) {
  const auto loaded = load_checkpoint(config, checkpoint);
  trainer_.load_state(loaded.contents.tensors);
  checkpoint_ = loaded.directory.path.string();
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
