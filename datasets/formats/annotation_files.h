// The files that a data set is read from.
#pragma once

#include <filesystem>
#include <vector>

#include "datasets/formats/data_config.h"

namespace vllama::datasets {

// The annotation files, in the order in which they are read; of webdataset the shards. Throws
// UserError if there is none.
std::vector<std::filesystem::path> annotation_files(const DatasetConfig& config);

}  // namespace vllama::datasets
