#include "train/loop/validation.h"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include "core/log.h"
#include "eval/evaluate/unused_settings.h"
#include "eval/evaluate/write_results.h"
#include "models/video_llama.h"
#include "text/tokenizers/tokenizer.h"
#include "train/record/loss_points.h"
#include "train/saved/chat_settings.h"

namespace vllama::train {
namespace {

std::string metric_name(const std::string& task, const std::string& metric) {
  return fmt::format("eval/{}/{}", task, metric);
}

void add_answers(const eval::TaskResult& task, std::int64_t count, ValidationResult& result) {
  for (const eval::Prediction& found : task.predictions) {
    if (count-- <= 0) return;
    result.answers.push_back(
        {task.config.name,
         fmt::format("{}: {}\nanswer: {}\nreference: {}", found.video, found.question,
                     found.is_missing() ? found.status : found.prediction,
                     found.references.empty() ? "" : found.references.front())});
  }
}

}  // namespace

Validation::Validation(const RunConfig& config, const RunFolder& folder, models::VideoLlama& model,
                       const text::Tokenizer& tokenizer, distributed::Communicator& ranks)
    : config_(config), folder_(folder), model_(model), tokenizer_(tokenizer), ranks_(ranks) {
  if (config.eval.every_steps == 0 || !ranks.is_first()) return;
  for (const std::string& note : eval::unused_settings(config.eval.generation, config.eval.tasks))
    log::warn("eval: {}", note);
}

bool Validation::is_due(std::int64_t step) const {
  const std::int64_t every = config_.eval.every_steps;
  return every > 0 && (step % every == 0 || step == config_.training.num_steps());
}

eval::EvalConfig Validation::config_after(std::int64_t step) const {
  const ValidationConfig& own = config_.eval;
  eval::EvalConfig config;
  config.output_dir = folder_.file(fmt::format("eval/step_{:06}", step)).string();
  config.model = config_.output_dir;
  config.num_workers = own.num_workers;
  config.batch_size = own.batch_size;
  config.num_resamples = own.num_resamples;
  config.num_thumbnails = own.num_thumbnails;
  config.prompt = own.prompt;
  config.generation = own.generation;
  config.tasks = own.tasks;
  config.losses = own.losses;
  return config;
}

ValidationResult Validation::operator()(std::int64_t step) const {
  const c10::AutoGradMode no_graph(false);
  const eval::EvalConfig config = config_after(step);
  const inference::ModelView model{
      .model = model_,
      .tokenizer = tokenizer_,
      .chat = training_chat_settings(config_),
      .media = media_settings(config_),
      .name = fmt::format("{} after {} steps", config_.output_dir, step),
      .checkpoint = fmt::format("step {}", step)};
  const eval::EvalResult found = eval::evaluate(config, model, ranks_, /*force=*/true);
  ValidationResult result;
  if (!ranks_.is_first()) return result;
  eval::write_results(config, model, found, loss_points(folder_.file("metrics.jsonl")));
  for (const eval::TaskResult& task : found.tasks) {
    for (const eval::Score& score : task.scores)
      result.metrics[metric_name(task.config.name, score.name)] = score.value;
    if (task.num_left_out > 0)
      result.metrics[metric_name(task.config.name, "rows_left_out")] =
          static_cast<double>(task.num_left_out);
    add_answers(task, config_.eval.num_shown_answers, result);
  }
  for (const eval::Score& score : found.losses) result.metrics["eval/" + score.name] = score.value;
  return result;
}

}  // namespace vllama::train
