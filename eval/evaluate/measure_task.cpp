#include "eval/evaluate/measure_task.h"

#include <algorithm>
#include <map>

#include "core/log.h"
#include "eval/scores/caption_scores.h"
#include "eval/scores/chair.h"
#include "eval/scores/first_option.h"
#include "eval/scores/question_answering.h"
#include "eval/scores/yes_no.h"
#include "eval/tasks/annotation_rows.h"
#include "eval/tasks/read_questions.h"

namespace vllama::eval {
namespace {

using Measurements = std::vector<Measurement>;

void append(Measurements& all, Measurements more) {
  std::ranges::move(more, std::back_inserter(all));
}

// Answers of one of several options: how often the right one is the likeliest, or named first; the
// latter beside the former where the model was asked for words too.
Measurements of_options(const TaskConfig& config, const std::vector<Prediction>& predictions) {
  const bool is_written = config.choose_by == ChooseBy::first_named;
  Measurements all = {is_written ? first_option(predictions) : option_likelihood(predictions)};
  const auto parts = all[0].parts;
  if (std::ranges::any_of(parts, [&](const std::string& part) { return part != parts.front(); }))
    all.push_back(mean_of_parts(all[0], "mean_of_tasks"));
  if (is_written) all.push_back(contained(predictions));
  if (!is_written)
    if (auto in_words = first_option_in_words(predictions)) all.push_back(std::move(*in_words));
  return all;
}

Measurements of_short_answers(const std::vector<Prediction>& predictions) {
  Measurements all = {exact_match(predictions), contained(predictions)};
  constexpr std::size_t kVqaReferences = 10;
  if (std::ranges::all_of(predictions, [](const Prediction& prediction) {
        return prediction.references.size() >= kVqaReferences;
      }))
    all.push_back(vqa_v2(predictions));
  return all;
}

// CHAIR. A caption whose objects stand in a broken row is in neither of its scores.
Measurements of_objects(const TaskConfig& config, const std::vector<Prediction>& predictions) {
  AnnotationRows rows;
  std::map<std::string, std::vector<std::string>> objects;
  for (MediumObjects& medium : read_objects(config.objects, rows))
    objects[medium.id] = std::move(medium.objects);
  std::vector<Prediction> known;
  std::ranges::copy_if(predictions, std::back_inserter(known), [&](const Prediction& prediction) {
    return objects.contains(prediction.id);
  });
  const std::int64_t num_unknown = std::ssize(predictions) - std::ssize(known);
  const bool is_explained = num_unknown <= rows.left_out.total();
  const auto names = ObjectNames::read(config.object_names);
  Measurements all = chair(is_explained ? known : predictions, objects, names);
  if (rows.left_out.total() > 0)
    log::warn("task {}: objects: {}", config.name, rows_left_out(rows));
  if (num_unknown > 0)
    for (Measurement& measurement : all)
      measurement.facts["captions_left_out"] = std::to_string(num_unknown);
  return all;
}

Measurements of_captions(const TaskConfig& config, const std::vector<Prediction>& predictions) {
  Measurements all = caption_measurements(predictions, simple_tokens(predictions));
  if (config.objects.empty()) return all;
  append(all, of_objects(config, predictions));
  return all;
}

}  // namespace

Measurements measure_task(const TaskConfig& config, const std::vector<Prediction>& predictions) {
  if (std::ranges::any_of(predictions,
                          [](const Prediction& found) { return !found.options.empty(); }))
    return of_options(config, predictions);
  const TaskFormat& format = task_format(config.format);
  if (format.answers == AnswerForm::yes_or_no) return yes_no_measurements(predictions);
  if (format.answers == AnswerForm::caption) return of_captions(config, predictions);
  Measurements all = of_short_answers(predictions);
  if (format.more_measurements != nullptr) append(all, format.more_measurements(predictions));
  return all;
}

}  // namespace vllama::eval
