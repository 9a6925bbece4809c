// What a run is about to do: its complete configuration, and tables of model, data, memory.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "datasets/loading/mixture.h"
#include "models/video_llama.h"
#include "train/plan/memory_estimate.h"
#include "train/run/run_config.h"

namespace vllama::train {

// A data set, and how much of it a run takes.
struct DatasetPlan {
  std::string name;
  std::int64_t num_records = 0, num_invalid = 0;
  double share = 0;  // of the samples
  std::int64_t num_samples = 0, num_samples_per_epoch = 0;
  double num_passes = 0;
};

// Sets the last four fields of every data set; `sets` are the sources of `order`, one by one.
void plan_samples(const TrainingConfig& training, const datasets::SampleOrder& order,
                  std::span<DatasetPlan> sets);

// A line for every set that is gone through so often that it is learned by heart; most runs have
// none.
std::vector<std::string> many_passes(std::span<const DatasetPlan> sets);

// A module under its name in model.trainable, or what never trains under a name in words.
struct ModulePlan {
  std::string name;
  std::int64_t num_parameters = 0;
  bool is_trained = false;
  std::string dtype;
  double peak_learning_rate = 0;  // of a module that trains
};

// How many ranks a run has.
struct RankCounts {
  std::int64_t num_ranks = 1, num_local_ranks = 1;  // on a machine
};

// In these functions the model needs no tensors: sizes are those that it declares.
std::vector<ModulePlan> plan_modules(const RunConfig& config, models::VideoLlama& model);
// Of one rank.
MemoryEstimate plan_memory(const RunConfig& config, models::VideoLlama& model,
                           const RankCounts& ranks);

// Tokens that no sample exceeds, apart from the text of a prompt in front of a caption.
std::int64_t longest_sequence(const models::ModelConfig& model, const datasets::DataConfig& data);

// The plan; the parameters of every module, trained and frozen; every data set with its records,
// the samples that the run will take from it and how often that goes through it; the estimated
// memory.
std::string plan_tables(const RunConfig& config, models::VideoLlama& model, const RankCounts& ranks,
                        const std::string& device, std::span<const DatasetPlan> sets,
                        datasets::Mixing mixing);

// What a run takes of its data sets.
std::vector<DatasetPlan> plan_datasets(const RunConfig& config, const datasets::Mixture& data,
                                       const datasets::SampleOrder& order);

// The complete configuration and the tables.
std::string startup_report(const RunConfig& config, models::VideoLlama& model,
                           const RankCounts& ranks, const datasets::Mixture& data,
                           const datasets::SampleOrder& order);

}  // namespace vllama::train
