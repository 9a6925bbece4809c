// From the settings of a task to its questions.
#pragma once

#include "eval/tasks/question.h"
#include "eval/tasks/task_config.h"

namespace vllama::eval {

// Reads the annotations and looks for the media; says in the log how many questions there are,
// which rows are broken and left out, and how many media are missing or not asked about. Throws
// UserError naming the task, and the file, row or key at fault, and if not one medium is there.
Task open_task(const TaskConfig& config);

}  // namespace vllama::eval
