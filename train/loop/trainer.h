// One optimizer step, and the state that steps carry from one to the next.
#pragma once

#include <functional>

#include "checkpoint/step_directory.h"
#include "datasets/loading/loader.h"
#include "distributed/communicator.h"
#include "models/video_llama.h"
#include "optim/adamw.h"
#include "optim/flat_parameters.h"
#include "optim/gradient_sum.h"
#include "train/loop/step_totals.h"
#include "train/record/metrics.h"
#include "train/run/run_config.h"

namespace vllama::train {

// What of `model` trains, in its order, each tensor with the published rule for weight decay and
// the learning rate of its module. If a module has a rate of its own, the schedule's peak, to which
// it relates, is above 0.
std::vector<optim::TrainedParameter> trained_parameters(models::VideoLlama& model,
                                                        const optim::ScheduleConfig& schedule);

struct StepResult {
  StepMetrics metrics;              // over all ranks, without times and dropped samples
  std::vector<RankReport> reports;  // of all ranks
  std::int64_t num_dropped = 0;     // over all ranks
  std::vector<datasets::DroppedSample> dropped;  // of this rank
};

// Fills `problem`, `skipped` and `loss_z` of a step from its other numbers, on all ranks alike; a
// step that is skipped changes nothing.
using StepJudge = std::function<void(StepMetrics&)>;

// Skips steps without a finite loss and gradient, and those without target tokens.
void judge_alone(StepMetrics& metrics);

// A line for everything in which the tensors of a checkpoint are not those of what trains; empty if
// they fit. Needs no tensors of the model.
std::string misfit_of(const std::map<std::string, weights::NamedTensors>& state,
                      const nn::ParameterList& trained);

class Trainer {
 public:
  // Gives every trainable parameter of `model` a gradient.
  // All of them outlive the trainer.
  Trainer(const RunConfig& config, models::VideoLlama& model, distributed::Communicator& ranks);

  using NextBatch = std::function<datasets::LoadedBatch()>;
  // What this rank tells the others; asked once the gradients of a step are there.
  using Report = std::function<RankReport()>;

  // Together: optimizer step number `step` (from 0) over this rank's micro-batches, as many as
  // TrainingConfig::num_micro_steps. The gradient is the mean over all target tokens of all
  // micro-batches of all ranks; without target tokens, loss and norm are not numbers. `judge`,
  // which must skip what judge_alone skips, sees the same numbers on all ranks.
  StepResult step(std::int64_t step, const NextBatch& next_batch, const Report& report = {},
                  const StepJudge& judge = judge_alone);

  // Together: on rank 0 the trained parameters and the optimizer's moments, as files of a
  // checkpoint, on the others nothing. They share memory with the trainer until the next step, but
  // for moments that are sharded over ranks: those are copies in host memory.
  std::map<std::string, weights::NamedTensors> state() const;

  // Takes over what state() gave, whichever way it was sharded then. Throws UserError naming every
  // tensor that does not fit.
  void load_state(const std::map<std::string, weights::NamedTensors>& state);

  // Together: takes over the state that rank 0 has loaded.
  void copy_state_of_first();

 private:
  // The totals of this rank.
  StepTotals accumulate_gradients(std::int64_t step, const NextBatch& next_batch,
                                  StepResult& result);
  // Gradients and totals become those of all ranks.
  StepTotals add_up_ranks(std::int64_t step, const StepTotals& own);

  const RunConfig& config_;
  models::VideoLlama& model_;
  distributed::Communicator& ranks_;
  optim::FlatParameters parameters_;
  optim::GradientSum gradient_sum_;
  optim::AdamW optimizer_;
};

}  // namespace vllama::train
