#include "train/plan/run_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "datasets/formats/format_rules.h"
#include "datasets/loading/mixture.h"
#include "datasets/order/mixing.h"
#include "eval/evaluate/evaluate.h"
#include "eval/evaluate/question_prompt.h"
#include "eval/tasks/open_task.h"
#include "inference/generate/generator.h"
#include "models/file_sizes.h"
#include "models/load_video_llama.h"
#include "models/model_input.h"
#include "samples/media_rules.h"
#include "text/prompt_template.h"
#include "text/tokenizers/open_tokenizer.h"
#include "train/plan/problem_list.h"
#include "train/plan/startup_report.h"
#include "train/saved/chat_settings.h"

namespace vllama::train {
namespace {

class Rules {
 public:
  explicit Rules(const RunConfig& config)
      : config_(config), input_(models::model_input(config.model)) {}

  RunBasics look() && {
    language_model();
    model();
    training();
    data();
    evaluation();
    found_.broken = std::move(broken_).take();
    return std::move(found_);
  }

 private:
  // Rules that the lower layers keep themselves, and files that are read, are attempted.
  void language_model() {
    const std::filesystem::path folder = config_.model.weights.language_model;
    broken_.attempt([&] { found_.tokenizer = text::open_tokenizer(folder); });
    broken_.attempt(
        [&] { found_.language_model = language::read_llama_config(folder / "config.json"); });
    if (found_.language_model && found_.tokenizer)
      broken_.attempt([&] {
        models::check_vocabulary(*found_.language_model, found_.tokenizer->size(),
                                 found_.tokenizer->max_added_rows(), folder.string());
      });
  }

  void model() {
    if (config_.model.branches == models::BranchSet::none)
      broken_.add(
          "model.branches: none is a language model alone, which chat talks to; to train, name "
          "vision, audio or vision_and_audio");
    if (const std::string missing = models::missing_files(config_.model); !missing.empty())
      broken_.add(missing);
    const auto contradictions = models::sizes_of_files(config_.model).contradictions;
    for (const auto& [key, contradiction] : contradictions) broken_.add(contradiction);
    // Sizes and modules that contradict each other; no tensor is made.
    if (contradictions.empty())
      broken_.attempt([&] {
        models::VideoLlama(config_.model, found_.language_model.value_or(language::LlamaConfig{}));
      });
    if (config_.distributed.shard_language_model) sharing();
  }

  void sharing() {
    if (std::ranges::find(config_.model.trainable, models::ModuleName::language_model,
                          &models::TrainedModule::module) != config_.model.trainable.end())
      broken_.add(
          "distributed.shard_language_model: only a frozen language model can be held in parts; "
          "take 'language_model' out of model.trainable ('lora' may train), or set "
          "distributed.shard_optimizer instead");
    if (!config_.model.recompute_layers)
      broken_.add(
          "distributed.shard_language_model: a layer that is let go of must be computed again for "
          "the backward pass; set model.recompute_layers: true");
  }

  void training() {
    if (config_.training.skip_spikes && config_.training.spike_z_score == 0)
      broken_.add(
          "training.skip_spikes: no loss is a spike with training.spike_z_score 0; set it, for "
          "instance to 6");
    if (config_.schedule.peak_learning_rate > 0) return;
    for (const models::TrainedModule& trained : config_.model.trainable)
      if (trained.learning_rate > 0)
        broken_.add(
            fmt::format("model.trainable: '{}' has a learning rate, but "
                        "schedule.peak_learning_rate, which all rates follow in proportion, is 0",
                        config::name_of(trained.module)));
  }

  void data() {
    rules_of(config_.data, "data");
    const TrainingConfig& training = config_.training;
    broken_.add(
        datasets::broken_mixing_rules(config_.data, {training.num_steps(), training.batch_size}));
  }

  // Returns whether none is broken.
  bool rules_of(const datasets::DataConfig& data, const std::string& where) {
    ProblemList broken;
    if (found_.language_model) {
      const std::int64_t longest = longest_sequence(config_.model, data),
                         positions = found_.language_model->max_positions;
      if (longest > positions)
        broken.add(fmt::format(
            "samples may have {} tokens, but the language model has {} positions; lower "
            "{}.conversations.max_tokens or {}.captions.max_tokens",
            longest, positions, where, where));
    }
    const text::PromptTemplate* prompts = text::find_prompt_template(data.conversations.family);
    if (!data.conversations.system.empty() && prompts != nullptr &&
        !prompts->training.takes_system_text)
      broken.add(
          fmt::format("{}.conversations.system: the prompts of '{}' have no place for a "
                      "system text",
                      where, data.conversations.family));
    const std::string beginning = where == "data" ? "" : where + ": ";
    broken.add(datasets::broken_name_rules(data), beginning);
    for (const datasets::DatasetConfig& set : data.sets) {
      broken.add(datasets::broken_format_rules(set), beginning);
      broken.add(datasets::broken_root_rules(set), beginning);
      broken.add(samples::broken_media_rules(set.name, set, data.media_settings(), input_),
                 beginning);
    }
    const bool is_kept = broken.empty();
    broken_.add(std::move(broken).take());
    return is_kept;
  }

  void evaluation() {
    best_metric();
    const ValidationConfig& eval = config_.eval;
    if (eval.every_steps == 0) return;
    if (eval.tasks.empty() && eval.losses.empty())
      broken_.add("eval.every_steps is set, but eval.tasks and eval.losses are both empty");
    if (config_.distributed.shard_language_model)
      broken_.add(
          "eval: a language model that is held in parts (distributed.shard_language_model) cannot "
          "answer; evaluate its checkpoints with vllama eval");
    broken_.attempt([&] { eval::check_names(eval.tasks); });
    if (!eval.tasks.empty())
      broken_.attempt([&] { inference::check_generation(eval.generation); }, "eval.generation: ");
    for (const eval::TaskConfig& task : eval.tasks) rules_of(task);
    for (std::size_t i = 0; i < eval.losses.size(); ++i)
      held_out(eval.losses[i], fmt::format("eval.losses.{}", i));
  }

  // What the first evaluation, perhaps after hours, would say.
  void rules_of(const eval::TaskConfig& task) {
    const ValidationConfig& eval = config_.eval;
    broken_.add(
        samples::broken_media_rules(
            task.name, eval::media_of_task(training_chat_settings(config_), eval.prompt, task),
            media_settings(config_), input_),
        "eval.tasks: ");
    broken_.attempt([&] {
      const bool writes = eval::open_task(task).kind == eval::AnswerKind::written;
      if (writes && found_.language_model &&
          inference::max_prompt_tokens(eval.generation, *found_.language_model) < 1)
        broken_.add(fmt::format(
            "eval.generation: an answer of up to {} tokens leaves nothing of {} for a prompt; "
            "lower max_new_tokens",
            eval.generation.max_new_tokens,
            std::min(eval.generation.max_context_tokens, found_.language_model->max_positions)));
    });
  }

  void held_out(const datasets::DataConfig& data, const std::string& where) {
    if (rules_of(data, where) && found_.tokenizer)
      broken_.attempt([&] { datasets::Mixture(data, input_, *found_.tokenizer); }, where + ": ");
  }

  // Names of the metrics of captions and answers depend on what the annotations hold, so only the
  // task or set is looked up.
  void best_metric() {
    const std::string& metric = config_.checkpoints.best_metric;
    if (metric == "loss") return;
    std::vector<std::string> names;
    for (const eval::TaskConfig& task : config_.eval.tasks) names.push_back(task.name);
    for (const datasets::DataConfig& data : config_.eval.losses)
      std::ranges::transform(data.sets, std::back_inserter(names), &datasets::DatasetConfig::name);
    const std::int64_t every_steps = config_.eval.every_steps;
    if (every_steps == 0 || std::ranges::none_of(names, [&](const std::string& name) {
          return metric.starts_with(fmt::format("eval/{}/", name));
        }))
      return broken_.add(fmt::format(
          "checkpoints.best_metric: '{}' is not measured; it can be loss, or eval/<task>/<metric> "
          "of a task or data set below eval, with eval.every_steps above 0",
          metric));
    if (config_.checkpoints.every_steps % every_steps != 0)
      broken_.add(fmt::format(
          "checkpoints.best_metric: '{}' is measured every {} steps, but checkpoints are saved "
          "every {}: make checkpoints.every_steps a multiple of eval.every_steps",
          metric, every_steps, config_.checkpoints.every_steps));
  }

  const RunConfig& config_;
  const samples::ModelInput input_;
  ProblemList broken_;
  RunBasics found_;
};

}  // namespace

RunBasics look_at_rules(const RunConfig& config) {
  return Rules(config).look();
}

}  // namespace vllama::train
