// From a data set's settings to its records.
#pragma once

#include <memory>

#include "datasets/data_config.h"
#include "datasets/record.h"

namespace vllama::datasets {

// Opens the reader for config.format and logs how many entries it has and how many are invalid.
// Throws UserError where the annotations cannot be read.
std::unique_ptr<Dataset> open_dataset(const DatasetConfig& config);

}  // namespace vllama::datasets
