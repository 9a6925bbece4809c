// Settings of answers that change nothing beside the others.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "inference/generate/generation_config.h"

namespace vllama::inference {

// Of the fields called `names`, those that change no answer, each in a sentence that says why:
// "temperature has no effect: do_sample is false, ...".
std::vector<std::string> without_effect(const GenerationConfig& config,
                                        const std::set<std::string>& names);

}  // namespace vllama::inference
