// Everything a training run is told, in one file.
#pragma once

#include "config/fields.h"
#include "datasets/formats/data_config.h"
#include "distributed/device.h"
#include "distributed/distributed_config.h"
#include "models/model_config.h"
#include "optim/adamw_config.h"
#include "optim/schedule.h"
#include "train/run/checkpoint_config.h"
#include "train/run/validation_config.h"

namespace vllama::train {

struct TrainingConfig {
  std::int64_t batch_size = 32;
  std::int64_t micro_batch_size = 32;
  std::int64_t num_epochs = 5;
  std::int64_t steps_per_epoch = 2500;
  double max_gradient_norm = 0;
  std::int64_t max_bad_steps = 10;
  double spike_z_score = 6;
  bool skip_spikes = false;
  std::int64_t steps_per_log_line = 50;

  std::int64_t num_steps() const { return num_epochs * steps_per_epoch; }
  // Micro-batches that each of `num_ranks` ranks takes in an optimizer step.
  std::int64_t num_micro_steps(std::int64_t num_ranks) const {
    const std::int64_t at_once = num_ranks * micro_batch_size;
    return (batch_size + at_once - 1) / at_once;
  }

  template <class Visitor>
  void visit(Visitor&& field) {
    const config::AtLeast<std::int64_t> positive{1};
    field("batch_size", batch_size, "samples in an optimizer step, over all ranks", positive);
    field("micro_batch_size", micro_batch_size,
          "samples that a rank works on at once, at most; does not change what is trained",
          positive);
    field("num_epochs", num_epochs, "epochs of the run", positive);
    field("steps_per_epoch", steps_per_epoch,
          "optimizer steps that make an epoch; unrelated to passes over the data", positive);
    field("max_gradient_norm", max_gradient_norm,
          "longer gradients are shortened to this; 0: never", config::AtLeast<double>{0});
    field("max_bad_steps", max_bad_steps, "steps skipped in a row after which the run stops",
          positive);
    field("spike_z_score", spike_z_score,
          "a loss this many deviations above the latest of its data set is a spike; 0: none is",
          config::AtLeast<double>{0});
    field("skip_spikes", skip_spikes,
          "leave the weights as they are in a step with a spike; otherwise it is only reported");
    field("steps_per_log_line", steps_per_log_line,
          "how often a line of progress goes into log.txt, and to standard error where that is no "
          "terminal",
          positive);
  }
};

struct RunConfig {
  std::string output_dir;
  std::uint64_t seed = 42;
  distributed::DeviceChoice device = distributed::DeviceChoice::automatic;
  std::int64_t num_threads = 0;
  models::ModelConfig model;
  datasets::DataConfig data;
  TrainingConfig training;
  CheckpointConfig checkpoints;
  ValidationConfig eval;
  distributed::DistributedConfig distributed;
  optim::AdamWConfig optimizer;
  optim::ScheduleConfig schedule;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("output_dir", output_dir, "folder of the run", config::Path{}, config::Required{});
    field("seed", seed, "names every random number of the run");
    field("device", device, "auto takes a GPU when there is one");
    field("num_threads", num_threads, "threads of CPU mathematics; 0: one per core",
          config::Range<std::int64_t>{0, 1024});
    field("model", model, "model");
    field("data", data, "data");
    field("training", training, "training loop");
    field("distributed", distributed, "several ranks");
    field("checkpoints", checkpoints, "when to save, and what to keep");
    field("eval", eval, "evaluation of the model while it trains");
    field("optimizer", optimizer, "AdamW");
    field("schedule", schedule, "learning rate");
  }
};

}  // namespace vllama::train
