#include "train/show/sample_losses.h"

#include <ATen/Parallel.h>
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
  config.training.accumulation_steps = 1;
  return config;
}

std::string checkpoint_folder(const RunConfig& config, const std::filesystem::path& path) {
  if (!path.empty()) return path.string();
  const auto root = std::filesystem::path(config.output_dir) / "checkpoints";
  const auto found = checkpoint::newest_complete_step(root);
  if (!found)
    throw UserError(fmt::format("--losses: '{}' holds no checkpoint; name one", root.string()));
  return found->path.string();
}

}  // namespace

SampleLosses::SampleLosses(const RunConfig& config, const std::filesystem::path& checkpoint,
                           std::int64_t image_token)
    : config_(prepared(config)),
      image_token_(image_token),
      checkpoint_(checkpoint_folder(config, checkpoint)),
      model_(models::load_video_llama(config_.model, chosen_device(config_.device), config_.seed)),
      trainer_(config_, *model_) {
  trainer_.load_state(checkpoint::load_step(checkpoint_).tensors);
}

SampleLoss SampleLosses::of(const processors::Example& example) {
  SampleLoss result{};
  trainer_.step(
      0,
      [&] {
        return datasets::LoadedBatch{processors::pack(std::span(&example, 1), image_token_), {}};
      },
      [&result](StepMetrics& metrics) {
        result = {metrics.loss, metrics.gradient_norm, unusable(metrics)};
        metrics.skipped = true;  // nothing is to be trained here
      });
  return result;
}

}  // namespace vllama::train
