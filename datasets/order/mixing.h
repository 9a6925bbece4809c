// From the settings of a mixture to the order of its samples.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/formats/data_config.h"
#include "datasets/order/order.h"

namespace vllama::datasets {

// How long a run is.
struct RunSize {
  std::int64_t num_steps = 0;
  std::int64_t samples_per_step = 0;  // over all ranks and micro-batches

  std::int64_t num_samples() const { return num_steps * samples_per_step; }
};

// The share of a data set, relative to the others: its weight, or its number of samples.
double share_of(const DatasetConfig& set);

// The broken rules between weights, numbers of samples, and the samples of the run, which they may
// miss by less than a step; every one with what to change.
std::vector<std::string> broken_mixing_rules(const DataConfig& data, const RunSize& run);

// Throws UserError for broken_mixing_rules().
OrderSettings order_settings(const DataConfig& config, const RunSize& run, std::uint64_t seed);

}  // namespace vllama::datasets
