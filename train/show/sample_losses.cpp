#include "train/show/sample_losses.h"

#include <fmt/format.h>

#include "core/error.h"
#include "distributed/device.h"
#include "models/load_video_llama.h"
#include "train/provenance/provenance_changes.h"
#include "train/provenance/starting_points.h"
#include "train/run/find_step.h"
#include "train/watch/step_health.h"

namespace vllama::train {
namespace {

std::string step_of(const RunConfig& config, const std::filesystem::path& named) {
  const auto path = named.empty() ? std::filesystem::path(config.output_dir) : named;
  if (const auto step = find_step(path, /*needed=*/{})) return step->string();
  throw UserError(fmt::format("--losses: '{}' is no checkpoint and no folder of a run; name one",
                              path.string()));
}

// Each sample is a step.
RunConfig one_sample_a_step(RunConfig config, const std::string& step) {
  config.training.batch_size = 1;
  models::WeightFiles& weights = config.model.weights;
  find_starting_points(weights);
  weights = without_starting_points(weights, replaced_starting_points(weights, step));
  return config;
}

at::Device prepared_device(const RunConfig& config) {
  distributed::set_num_threads(config.num_threads);
  return distributed::chosen_device(config.device);
}

}  // namespace

SampleLosses::SampleLosses(const RunConfig& config, const std::filesystem::path& checkpoint,
                           std::int64_t image_token)
    : checkpoint_(step_of(config, checkpoint)),
      config_(one_sample_a_step(config, checkpoint_)),
      image_token_(image_token),
      model_(models::load_video_llama(config_.model, prepared_device(config_), config_.seed)),
      trainer_(config_, *model_, one_rank_) {
  trainer_.load_state(checkpoint::load_step(checkpoint_).contents.tensors);
  warn_of_changed_weights(config_.model, checkpoint_);
}

SampleLoss SampleLosses::of(const samples::Example& example) {
  SampleLoss result{};
  trainer_.step(
      0,
      [&] {
        return datasets::LoadedBatch{samples::pack(std::span(&example, 1), image_token_), {}};
      },
      {},
      [&result](StepMetrics& metrics) {
        result = {metrics.loss, metrics.gradient_norm, unusable(metrics)};
        metrics.skipped = true;  // nothing is to be trained here
      });
  return result;
}

}  // namespace vllama::train
