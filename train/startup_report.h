// What a run is about to do: its complete configuration, and tables of model, data, memory.
#pragma once

#include <string>

#include "datasets/mixture.h"
#include "models/video_llama.h"
#include "train/run_config.h"

namespace vllama::train {

// The parameters of every module, trained and frozen; every data set with its records, the samples
// that the run will take from it and how often that goes through it; the estimated memory.
std::string startup_report(const RunConfig& config, models::VideoLlama& model,
                           const datasets::Mixture& data, const datasets::SampleOrder& order);

}  // namespace vllama::train
