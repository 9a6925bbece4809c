#include "eval/evaluate/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "core/sha256.h"
#include "eval/evaluate/answers.h"
#include "eval/evaluate/choice_note.h"
#include "eval/evaluate/dataset_loss.h"
#include "eval/evaluate/measure_task.h"
#include "eval/evaluate/run_task.h"
#include "eval/evaluate/settings_file.h"
#include "eval/evaluate/thumbnails.h"
#include "eval/tasks/annotation_rows.h"
#include "eval/tasks/open_task.h"

namespace vllama::eval {
namespace fs = std::filesystem;
namespace {

std::vector<Score> scores_of(const std::vector<Measurement>& measurements,
                             std::int64_t num_resamples) {
  std::vector<Score> scores;
  for (const Measurement& measurement : measurements)
    scores.push_back(score(measurement, {.num_resamples = num_resamples}));
  return scores;
}

// How the task differs from asking about whole media as they are: beside its scores.
std::map<std::string, std::string> control_facts(const TaskConfig& task) {
  std::map<std::string, std::string> facts;
  if (task.media != TaskMedia::own) facts["media"] = config::name_of(task.media);
  if (task.frame_order != FrameOrder::in_order)
    facts["frame_order"] = config::name_of(task.frame_order);
  if (task.inputs != samples::Inputs::automatic) facts["inputs"] = config::name_of(task.inputs);
  if (task.num_frames > 0) facts["num_frames"] = std::to_string(task.num_frames);
  return facts;
}

TaskResult evaluate_task(const EvalConfig& config, const TaskConfig& task_config,
                         const inference::ModelView& model, distributed::Communicator& ranks,
                         bool force) {
  ranks.enter(fmt::format("task {}: reading its questions", task_config.name));
  const Task task = open_task(task_config);
  const fs::path folder = fs::path(config.output_dir) / task.name;
  ranks.decided_by_first(
      [&] {
        if (force) fs::remove_all(folder);
        const AnswerFolder made(folder);
        require_same_settings(folder, answer_settings(config, task_config, task, model));
        return std::string();
      },
      fmt::format("task {}: preparing its folder", task.name));
  TaskResult result{.config = task_config, .annotation_hash = task.annotation_hash};
  result.predictions = run_task(task, task_config, config, model, AnswerFolder(folder), ranks);
  if (!ranks.is_first()) return result;
  result.predictions_hash = sha256(read_file(AnswerFolder(folder).predictions_file()));
  result.thumbnails =
      thumbnails(task.questions, config.num_thumbnails, config.num_workers, model.media.video);
  result.measurements = measure_task(task_config, result.predictions);
  result.scores = scores_of(result.measurements, config.num_resamples);
  result.num_left_out = task.rows.left_out.total();
  for (Score& found : result.scores) {
    found.num_left_out = result.num_left_out;
    found.facts.merge(control_facts(task_config));
  }
  if (std::string note = note_on_choice(result.measurements, result.predictions); !note.empty())
    result.notes.push_back(std::move(note));
  if (result.num_left_out > 0)
    result.notes.push_back(
        fmt::format("The scores are not over the whole file. {}", rows_left_out(task.rows)));
  return result;
}

}  // namespace

void check_names(const std::vector<TaskConfig>& tasks) {
  std::set<std::string> names;
  for (const TaskConfig& task : tasks) {
    if (task.name.find_first_of("/\\") != std::string::npos || task.name.starts_with('.'))
      throw UserError(fmt::format("tasks: '{}' cannot be the name of a folder", task.name));
    if (!names.insert(task.name).second)
      throw UserError(fmt::format("tasks: two have the name '{}'", task.name));
  }
}

EvalResult evaluate(const EvalConfig& config, const inference::ModelView& model,
                    distributed::Communicator& ranks, bool force) {
  if (config.tasks.empty() && config.losses.empty())
    throw UserError("tasks and losses are both empty: there is nothing to evaluate");
  check_names(config.tasks);
  EvalResult result;
  for (const TaskConfig& task : config.tasks)
    result.tasks.push_back(evaluate_task(config, task, model, ranks, force));
  for (const datasets::DataConfig& data : config.losses) {
    const auto measurements =
        dataset_losses(data, model.model, model.tokenizer, config.num_workers, ranks);
    std::ranges::move(scores_of(measurements, config.num_resamples),
                      std::back_inserter(result.losses));
  }
  return result;
}

}  // namespace vllama::eval
