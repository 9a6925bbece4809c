// What a run is trained on, as it was: its data sets, base weights and starting points.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "datasets/mixture.h"
#include "train/provenance_file.h"
#include "train/run_config.h"

namespace vllama::train {

// Keys below model.weights of what a run starts from besides its base weights, in the order in
// which they are read, with the paths.
std::vector<std::pair<std::string, std::string>> starting_points(
    const models::WeightFiles& weights);

// The base weights that the model needs and the starting points that are named. Reads each file up
// to 128 MiB, 16 MiB of a larger one. Throws UserError naming one that is missing.
std::vector<InputFile> weight_files(const models::ModelConfig& config);

// The data sets of a run. Reads at most 128 MiB of the annotations of each.
std::vector<InputData> data_files(const datasets::DataConfig& config,
                                  const datasets::Mixture& data);

// All of it, for a run that is about to start.
Provenance provenance_of(const RunConfig& config, const datasets::Mixture& data);

}  // namespace vllama::train
