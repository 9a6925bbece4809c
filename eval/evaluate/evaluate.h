// Evaluates a model: questions, losses, scores and a report.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "distributed/communicator.h"
#include "eval/evaluate/eval_config.h"
#include "eval/scores/score.h"
#include "inference/model_view.h"

namespace vllama::eval {

struct TaskResult {
  TaskConfig config;
  std::string annotation_hash = {};
  std::vector<Prediction> predictions = {};  // in the order of the annotation
  std::vector<Measurement> measurements = {};
  std::vector<Score> scores = {};
  std::int64_t num_left_out = 0;                                    // broken rows of the annotation
  std::vector<std::string> notes = {};                              // on how to read the scores
  std::string predictions_hash = {};                                // of predictions.jsonl
  std::map<std::string, std::vector<std::string>> thumbnails = {};  // see thumbnails()
};

struct EvalResult {
  std::vector<TaskResult> tasks;  // on rank 0
  std::vector<Score> losses;      // on rank 0
};

// Names of tasks are names of folders. Throws UserError where one cannot be, or two are the same.
void check_names(const std::vector<TaskConfig>& tasks);

// Together: answers all questions that `config.output_dir` does not hold answers to yet, and scores
// all. With `force` nothing there counts. Throws UserError if the answers there were made with
// another model or other settings, naming the differences.
EvalResult evaluate(const EvalConfig& config, const inference::ModelView& model,
                    distributed::Communicator& ranks, bool force);

}  // namespace vllama::eval
