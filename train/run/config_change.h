// What changed between the configuration of a checkpoint and the one that resumes it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "train/run/run_config.h"

namespace vllama::train {

// Every key of a configuration, "schedule.warmup_steps", with its value, defaults included.
using ConfigValues = std::map<std::string, std::string>;
ConfigValues config_values(const RunConfig& config);

// "schedule.warmup_steps: 20 in the checkpoint, 30 now" for every key that decides what is trained:
// all but those of the output, the machine, logs, checkpoints and memory. `saved` is the text of
// the checkpoint's config.yaml. With `content_is_known` paths are left out, since what they lead to
// is compared by other means (see changes_between()). Throws UserError if the text is no run
// configuration of this version.
std::vector<std::string> training_changes(const std::string& saved, const RunConfig& current,
                                          bool content_is_known);

}  // namespace vllama::train
