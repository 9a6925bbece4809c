// The order of a run's samples, as its settings say.
#pragma once

#include "datasets/loading/mixture.h"
#include "train/record/bad_steps.h"
#include "train/run/run_config.h"

namespace vllama::train {

datasets::SampleOrder sample_order(const RunConfig& config,
                                   std::vector<datasets::SampleOrder::Source> sources);

// The samples of step `step` (from 0) of all ranks and micro-batches, in the order of the global
// batch; those that turn out broken are among them. Throws as Dataset::record does.
std::vector<StepSample> samples_of_step(const datasets::SampleOrder& order,
                                        const datasets::SampleSource& data, std::int64_t step);

// Names the steps whose losses are comparable with those of step `step` (from 0): those of the same
// data set, or all where every step draws from all data sets.
std::string loss_kind(const datasets::SampleOrder& order, const datasets::SampleSource& data,
                      std::int64_t step);

}  // namespace vllama::train
