// From a data set's settings to its records.
#pragma once

#include <memory>

#include "datasets/entries/record.h"
#include "datasets/formats/data_config.h"
#include "datasets/index/index_folder.h"

namespace vllama::datasets {

// Opens the reader for config.format and logs how many entries it has and how many are invalid.
// Its index is taken from `indexes`, or made and kept there. `compat` as data.compat says: with
// "reference" VideoChat's instructions are passed over. Throws UserError where the annotations
// cannot be read.
std::unique_ptr<Dataset> open_dataset(const DatasetConfig& config, const IndexFolder& indexes = {},
                                      samples::CompatPreset compat = samples::CompatPreset::none);

}  // namespace vllama::datasets
