// What an evaluation leaves in its folder for people and other programs.
#pragma once

#include "eval/evaluate/evaluate.h"
#include "eval/report/report.h"

namespace vllama::eval {

// Names the questions in the order of judge.json, which is that of the annotation.
inline constexpr const char* kJudgeIdsFile = "judge_with_ids.json";

// report.json and report.html of all tasks and losses in config.output_dir. `loss` may be empty:
// the losses of the run that the model is from.
void write_results(const EvalConfig& config, const inference::ModelView& model,
                   const EvalResult& result, std::vector<LossPoint> loss);

// In the task's folder, for programs that judge or score otherwise: judge.json and
// judge_with_ids.json of answers to questions, captions.json and references.json (COCO) of
// captions.
void write_exchange_files(const std::filesystem::path& folder, const TaskResult& result);

}  // namespace vllama::eval
