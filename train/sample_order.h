// The order of a run's samples, as its settings say.
#pragma once

#include "datasets/mixture.h"
#include "train/run_config.h"

namespace vllama::train {

datasets::SampleOrder sample_order(const RunConfig& config,
                                   std::vector<datasets::SampleOrder::Source> sources);

}  // namespace vllama::train
