#include "eval/evaluate/run_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <optional>
#include <set>

#include "core/error.h"
#include "core/in_threads.h"
#include "core/log.h"
#include "inference/generate/generator.h"
#include "inference/generate/log_likelihood.h"

namespace vllama::eval {
namespace {

std::set<std::string> ids_of(const std::string& lines) {
  std::set<std::string> ids;
  for (std::size_t begin = 0, end; (end = lines.find('\n', begin)) != std::string::npos;
       begin = end + 1)
    ids.insert(lines.substr(begin, end - begin));
  return ids;
}

// Of the groups with questions that are not answered, every num_ranks-th.
std::vector<QuestionGroup> own_groups(const Task& task, std::int64_t group_size,
                                      const std::set<std::string>& answered,
                                      const distributed::Communicator& ranks) {
  std::vector<QuestionGroup> open, own;
  for (const QuestionGroup& group : groups_of(task.questions.size(), group_size)) {
    const auto is_answered = [&](const Question& question) {
      return answered.contains(question.expected.id);
    };
    const auto begin = task.questions.begin();
    if (!std::all_of(begin + static_cast<std::ptrdiff_t>(group.begin),
                     begin + static_cast<std::ptrdiff_t>(group.end), is_answered))
      open.push_back(group);
  }
  for (std::size_t i = static_cast<std::size_t>(ranks.rank()); i < open.size();
       i += static_cast<std::size_t>(ranks.num_ranks()))
    own.push_back(open[i]);
  return own;
}

// An answer names an option early or not at all.
inference::GenerationConfig short_answers(inference::GenerationConfig config) {
  constexpr std::int64_t kMostTokens = 32;
  config.max_new_tokens = std::min(config.max_new_tokens, kMostTokens);
  return config;
}

class Answerer {
 public:
  Answerer(const Task& task, const TaskConfig& task_config, const EvalConfig& config,
           const inference::ModelView& model)
      : task_(task),
        task_config_(task_config),
        config_(config),
        model_(model),
        prompts_(model, config.prompt, task_config),
        rules_(inference::stop_rules(model.tokenizer, prompts_.layout())),
        generator_(model.model.language_model(), model.tokenizer, rules_, config.generation),
        short_answers_(model.model.language_model(), model.tokenizer, rules_,
                       short_answers(config.generation)) {}

  std::vector<PreparedQuestion> prepare(const QuestionGroup& group) const {
    std::vector<PreparedQuestion> prepared(group.end - group.begin);
    for_each_in_threads(std::ssize(prepared), config_.num_workers, [&](std::int64_t i) {
      const auto place = static_cast<std::size_t>(i);
      prepared[place] = prompts_.prepare(task_.questions[group.begin + place]);
    });
    return prepared;
  }

  std::vector<Prediction> answer(const std::vector<PreparedQuestion>& group) const {
    std::vector<Prediction> predictions;
    std::vector<inference::Prompt> prompts;
    std::vector<std::size_t> asked;
    for (const PreparedQuestion& prepared : group) {
      Prediction prediction = prepared.question->expected;
      prediction.num_frames = prepared.num_frames;
      prediction.template_name = config::name_of(prompts_.layout_kind());
      if (prepared.problem.empty()) {
        asked.push_back(predictions.size());
        prompts.push_back(prompts_.prompt(prepared));
      } else {
        prediction.status = prepared.problem;
      }
      predictions.push_back(std::move(prediction));
    }
    if (task_.kind == AnswerKind::chosen) {
      for (std::size_t i = 0; i < asked.size(); ++i) choose(prompts[i], predictions[asked[i]]);
      if (wants_words(prompts)) {
        const std::vector<std::string> texts = write(short_answers_, prompts);
        for (std::size_t i = 0; i < asked.size(); ++i) predictions[asked[i]].in_words = texts[i];
      }
    } else {
      const std::vector<std::string> texts = write(generator_, prompts);
      for (std::size_t i = 0; i < asked.size(); ++i) predictions[asked[i]].prediction = texts[i];
    }
    return predictions;
  }

 private:
  std::vector<std::string> write(const inference::Generator& generator,
                                 const std::vector<inference::Prompt>& prompts) const {
    std::vector<std::string> texts;
    for (const inference::Answer& answer : generator(prompts))
      texts.push_back(text::answer_in(model_.tokenizer, prompts_.layout(), answer.ids));
    return texts;
  }

  // To be set beside the likelihoods. Captions of other media are no options that an answer names.
  bool wants_words(const std::vector<inference::Prompt>& prompts) const {
    return task_config_.num_candidates == 0 &&
           std::ranges::all_of(prompts, [this](const inference::Prompt& prompt) {
             return prompt.length() <= short_answers_.max_prompt_tokens();
           });
  }

  void choose(const inference::Prompt& prompt, Prediction& prediction) const {
    std::vector<std::vector<std::int64_t>> options;
    for (const std::string& option : prediction.options)
      options.push_back(model_.tokenizer.encode(option));
    for (const inference::LogLikelihood& found :
         inference::log_likelihoods(model_.model.language_model(), prompt, options))
      prediction.option_scores.push_back(
          task_config_.option_score == OptionScore::mean ? found.per_token() : found.sum);
    const auto best = std::ranges::max_element(prediction.option_scores);
    prediction.prediction =
        prediction.options[static_cast<std::size_t>(best - prediction.option_scores.begin())];
  }

  const Task& task_;
  const TaskConfig& task_config_;
  const EvalConfig& config_;
  const inference::ModelView model_;
  QuestionPrompts prompts_;
  inference::StopRules rules_;
  inference::Generator generator_, short_answers_;
};

}  // namespace

std::vector<Prediction> run_task(const Task& task, const TaskConfig& task_config,
                                 const EvalConfig& config, const inference::ModelView& model,
                                 const AnswerFolder& folder, distributed::Communicator& ranks) {
  const std::string what = fmt::format("task {}", task.name);
  const std::set<std::string> answered = ids_of(ranks.decided_by_first(
      [&] {
        std::string ids;
        for (const Prediction& prediction : folder.collect(task.questions))
          ids += prediction.id + "\n";
        return ids;
      },
      what + ": what is answered already"));
  if (!answered.empty() && ranks.is_first())
    log::info("task {}: {} of {} questions are answered already", task.name, answered.size(),
              task.questions.size());

  const Answerer answerer(task, task_config, config, model);
  const auto groups = own_groups(task, config.batch_size, answered, ranks);
  std::future<std::vector<PreparedQuestion>> next;
  const auto begin_preparing = [&](std::size_t i) {
    if (i < groups.size())
      next = std::async(std::launch::async, [&, i] { return answerer.prepare(groups[i]); });
  };
  begin_preparing(0);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    ranks.enter(fmt::format("{}: questions {} to {}", what, groups[i].begin + 1, groups[i].end));
    const std::vector<PreparedQuestion> prepared = next.get();
    begin_preparing(i + 1);
    folder.append(ranks.rank(), answerer.answer(prepared));
    if (ranks.is_first())
      log::info("task {}: {} of {} groups of this rank are answered", task.name, i + 1,
                groups.size());
  }
  ranks.gather("", what + ": waiting for the answers of all ranks");
  if (!ranks.is_first()) return {};
  std::vector<Prediction> predictions = folder.collect(task.questions);
  if (predictions.size() < task.questions.size())
    throw RunFailure(fmt::format("{}: only {} of {} answers can be read in '{}'; start again", what,
                                 predictions.size(), task.questions.size(),
                                 folder.path().string()));
  folder.finish(predictions);
  return predictions;
}

}  // namespace vllama::eval
