// What all ranks of a run must have in common.
#pragma once

#include <map>
#include <string>

#include "datasets/loading/mixture.h"
#include "train/run/run_config.h"

namespace vllama::train {

// The program (a checksum of it), every key of the configuration, and the size of every weight
// file.
std::map<std::string, std::string> run_facts(const RunConfig& config);

// The number of records of every data set.
std::map<std::string, std::string> data_facts(const datasets::Mixture& data);

}  // namespace vllama::train
