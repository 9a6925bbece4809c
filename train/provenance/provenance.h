// What a run is trained on, as it was: its data sets, base weights and starting points.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "datasets/loading/mixture.h"
#include "train/run/provenance_file.h"
#include "train/run/run_config.h"

namespace vllama::train {

// Keys below model.weights of what a run starts from besides its base weights, in the order in
// which they are read, with the paths.
std::vector<std::pair<std::string, std::string>> starting_points(
    const models::WeightFiles& weights);

// The base weights that the model needs and the starting points that are named. Reads each file up
// to 128 MiB, 16 MiB of a larger one. Throws UserError naming one that is missing.
std::vector<InputFile> weight_files(const models::ModelConfig& config);

// A data set without its media. Reads at most 128 MiB of its annotations.
InputData annotation_files(const datasets::DatasetConfig& config, const datasets::Dataset& dataset);
// Media of a few entries spread over all of a data set; reads both ends of each.
std::vector<InputFile> media_files(const datasets::DatasetConfig& config,
                                   const datasets::Dataset& dataset);
// Both, of the data sets of a run.
std::vector<InputData> data_files(const datasets::DataConfig& config,
                                  const datasets::Mixture& data);

// All of it, for a run that is about to start on `data`. Throws as weight_files().
Provenance provenance_of(const RunConfig& config, std::vector<InputData> data);

}  // namespace vllama::train
