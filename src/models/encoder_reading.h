// Reads the encoders of a branch from the published file.
#pragma once

#include "models/branch.h"
#include "models/weight_reading.h"

namespace vllama::models {

// All encoders of the branch, which outlives the reading, from the file that they share.
WeightReading encoder_reading(Branch& branch, const std::string& file, weights::LoadRules rules);

// The same of encoders that belong to no branch; `key` is that below model.weights.
WeightReading encoder_reading(const std::vector<encoders::Encoder*>& encoders,
                              const std::string& key, const std::string& file,
                              weights::LoadRules rules);

}  // namespace vllama::models
