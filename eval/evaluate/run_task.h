// Puts the questions of a task to a model, on all ranks.
#pragma once

#include "distributed/communicator.h"
#include "eval/evaluate/answers.h"
#include "eval/evaluate/question_prompt.h"

namespace vllama::eval {

// Together: answers what is not answered yet in `folder`; each question once, on one rank. Rank 0
// gets all answers in the order of the questions, the others none. Throws UserError for a prompt
// that is longer than the model's context.
std::vector<Prediction> run_task(const Task& task, const TaskConfig& task_config,
                                 const EvalConfig& config, const inference::ModelView& model,
                                 const AnswerFolder& folder, distributed::Communicator& ranks);

}  // namespace vllama::eval
