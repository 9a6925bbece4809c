// Rules that the settings of data must obey among themselves and towards the model. What opens or
// builds data throws what is broken of its own; a run looks at all of them before it begins.
#pragma once

#include <string>
#include <vector>

#include "datasets/media_builder.h"
#include "datasets/mixing.h"

namespace vllama::datasets {

// Each function gives the broken rules, every one with what to change.

// Between the format of a data set and its keys.
std::vector<std::string> broken_format_rules(const DatasetConfig& set);

// Between the crops, inputs and frames of a data set, the settings of sound, and the model.
std::vector<std::string> broken_media_rules(const DatasetConfig& set, const DataConfig& data,
                                            const ModelInput& model);

// Between the names of data sets.
std::vector<std::string> broken_name_rules(const DataConfig& data);

// Between weights, numbers of samples, and the samples of the run, which they may miss by less than
// a step.
std::vector<std::string> broken_mixing_rules(const DataConfig& data, const RunSize& run);

// The folder that the media are looked for in must be there. Of shards, opening says it.
std::vector<std::string> broken_root_rules(const DatasetConfig& set);

// Throws UserError with all that is in the list; does nothing if that is empty.
void require_none(const std::vector<std::string>& broken);

}  // namespace vllama::datasets
