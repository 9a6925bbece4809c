// Rules that the settings of a data set must obey, whatever is done with it.
#pragma once

#include <string>
#include <vector>

#include "datasets/formats/data_config.h"

namespace vllama::datasets {

// Each function gives the broken rules, every one with what to change.

// Between the format of a data set and its keys.
std::vector<std::string> broken_format_rules(const DatasetConfig& set);

// The folder that the media are looked for in must be there. Of shards, opening says it.
std::vector<std::string> broken_root_rules(const DatasetConfig& set);

}  // namespace vllama::datasets
