// One optimizer step, and the state that steps carry from one to the next.
#pragma once

#include <functional>

#include "checkpoint/step_directory.h"
#include "datasets/loader.h"
#include "models/video_llama.h"
#include "optim/adamw.h"
#include "optim/flat_parameters.h"
#include "train/metrics.h"
#include "train/run_config.h"

namespace vllama::train {

// What of `model` trains, in its order, each tensor with the published rule for weight decay and
// the learning rate of its module. Throws UserError if a module has a rate of its own and the
// schedule's peak, to which it relates, is 0.
std::vector<optim::TrainedParameter> trained_parameters(models::VideoLlama& model,
                                                        const optim::ScheduleConfig& schedule);

struct StepResult {
  StepMetrics metrics;  // without the times
  std::vector<datasets::DroppedSample> dropped;
};

// Fills `problem`, `skipped` and `loss_z` of a step from its other numbers; a step that is skipped
// changes nothing.
using StepJudge = std::function<void(StepMetrics&)>;

// Skips steps without a finite loss and gradient, and those without target tokens.
void judge_alone(StepMetrics& metrics);

class Trainer {
 public:
  // Gives every trainable parameter of `model`, which must outlive the trainer, a gradient.
  Trainer(const RunConfig& config, models::VideoLlama& model);

  using NextBatch = std::function<datasets::LoadedBatch()>;

  // Optimizer step number `step` (from 0) over config.training.accumulation_steps micro-batches.
  // The gradient is the mean over all target tokens of all micro-batches; without target tokens,
  // loss and norm are not numbers. `judge` must skip what judge_alone skips.
  StepResult step(std::int64_t step, const NextBatch& next_batch,
                  const StepJudge& judge = judge_alone);

  // The trained parameters and the optimizer's moments, as files of a checkpoint. They share memory
  // with the trainer until the next step.
  std::map<std::string, checkpoint::NamedTensors> state() const;

  // Takes over what state() gave. Throws UserError naming every tensor that does not fit.
  void load_state(const std::map<std::string, checkpoint::NamedTensors>& state);

 private:
  StepResult accumulate_gradients(const NextBatch& next_batch);

  const RunConfig& config_;
  models::VideoLlama& model_;
  optim::FlatParameters parameters_;
  optim::AdamW optimizer_;
};

}  // namespace vllama::train
