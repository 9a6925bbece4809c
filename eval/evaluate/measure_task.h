// The metrics of a task, by the format of its questions.
#pragma once

#include <string>
#include <vector>

#include "eval/scores/measurement.h"
#include "eval/tasks/task_config.h"

namespace vllama::eval {

// `predictions` in the order of the annotation.
std::vector<Measurement> measure_task(const TaskConfig& config,
                                      const std::vector<Prediction>& predictions);

}  // namespace vllama::eval
