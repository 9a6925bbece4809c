// What the answers in a folder depend on, beside them.
#pragma once

#include <filesystem>
#include <string>

#include "eval/evaluate/eval_config.h"
#include "eval/tasks/question.h"
#include "inference/model_view.h"

namespace vllama::eval {

// YAML: everything that an answer to a question of the task can depend on.
std::string answer_settings(const EvalConfig& config, const TaskConfig& task_config,
                            const Task& task, const inference::ModelView& model);

// Compares `settings` with those that answers in `folder` were made with, or writes them if there
// are none. Throws UserError naming every difference.
void require_same_settings(const std::filesystem::path& folder, const std::string& settings);

// The task whose answers lie in `folder`. Throws UserError if none do.
TaskConfig task_of_folder(const std::filesystem::path& folder);

}  // namespace vllama::eval
