// Settings of an evaluation that change nothing.
#pragma once

#include <string>
#include <vector>

#include "eval/tasks/task_config.h"
#include "inference/generate/generation_config.h"

namespace vllama::eval {

// Of the fields that are not as by default, those that have no effect beside the others, each in a
// sentence that begins with its key.
std::vector<std::string> unused_settings(const inference::GenerationConfig& generation,
                                         const std::vector<TaskConfig>& tasks);

}  // namespace vllama::eval
