#include "eval/evaluate/write_results.h"

#include <fmt/format.h>

#include "config/fields.h"
#include "core/sha256.h"
#include "core/version.h"
#include "eval/evaluate/settings_file.h"
#include "eval/scores/caption_files.h"
#include "eval/scores/judge_files.h"

namespace vllama::eval {
namespace fs = std::filesystem;
namespace {

void add_task(ReportData& report, const TaskResult& task, bool is_only_one) {
  const std::string prefix = is_only_one ? "" : task.config.name + ": ";
  for (Score score : task.scores) {
    score.name = prefix + score.name;
    report.scores.push_back(std::move(score));
  }
  for (const std::string& note : task.notes) report.notes.push_back(prefix + note);
  report.num_left_out += task.num_left_out;
  const std::vector<double>& values = task.scores.front().per_sample;
  for (std::size_t i = 0; i < task.predictions.size(); ++i) {
    Prediction prediction = task.predictions[i];
    prediction.video = prediction.medium_name();
    if (!is_only_one) {
      prediction.id = task.config.name + "/" + prediction.id;
      prediction.type = prefix + prediction.type;
    }
    report.predictions.push_back(std::move(prediction));
    report.values.push_back(values.empty() ? std::numeric_limits<double>::quiet_NaN() : values[i]);
  }
  report.hashes["annotation of " + task.config.name] = task.annotation_hash;
  report.hashes["predictions of " + task.config.name] = task.predictions_hash;
  report.thumbnails.insert(task.thumbnails.begin(), task.thumbnails.end());
}

void write_for_judge(const fs::path& folder, const TaskResult& result) {
  if (!task_format(result.config.format).asks_twice) {
    write_judge_file(folder / "judge.json", result.predictions);
    return write_judge_file_with_ids(folder / kJudgeIdsFile, result.predictions);
  }
  std::vector<Prediction> first, second;
  for (const Prediction& prediction : result.predictions)
    (prediction.type == "Q1" ? first : second).push_back(prediction);
  if (first.size() != second.size()) return;  // max_questions cut a pair
  write_judge_consistency_file(folder / "judge.json", first, second);
  write_judge_file_with_ids(folder / kJudgeIdsFile, first);
}

}  // namespace

void write_exchange_files(const fs::path& folder, const TaskResult& result) {
  const TaskFormat& format = task_format(result.config.format);
  if (format.answers == AnswerForm::caption && result.config.num_candidates == 0) {
    write_coco_results(folder / "captions.json", result.predictions);
    write_coco_annotations(folder / "references.json", result.predictions);
  }
  if (format.is_judged) write_for_judge(folder, result);
}

void write_results(const EvalConfig& config, const inference::ModelView& model,
                   const EvalResult& result, std::vector<LossPoint> loss) {
  ReportData report;
  report.title = fmt::format("Evaluation of {}", model.name);
  for (const TaskResult& task : result.tasks) {
    add_task(report, task, result.tasks.size() == 1);
    write_exchange_files(fs::path(config.output_dir) / task.config.name, task);
  }
  if (result.tasks.size() == 1) report.value_name = result.tasks.front().scores.front().name;
  report.scores.insert(report.scores.end(), result.losses.begin(), result.losses.end());
  report.loss = std::move(loss);
  report.config_text = config::dump(config);
  report.hashes["checkpoint"] = model.checkpoint_hash;
  report.versions["vllama"] = program_version();
  write_report(config.output_dir, report);
}

}  // namespace vllama::eval
