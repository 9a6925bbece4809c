#include "eval/tasks/task_formats.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/error.h"
#include "core/named_rows.h"
#include "eval/scores/caption_scores.h"
#include "eval/scores/question_answering.h"
#include "eval/tasks/read_questions.h"

namespace vllama::eval {
namespace {

std::vector<Measurement> rouge_of_answers(const std::vector<Prediction>& predictions) {
  return {rouge_l(predictions, simple_tokens(predictions))};
}

// In the order of the help.
const std::vector<TaskFormat>& formats() {
  static const std::vector<TaskFormat> table = {
      {.name = "activitynet_qa",
       .read = read_activitynet_qa,
       .is_judged = true,
       .more_measurements = activitynet_official,
       .own_settings = {"answers"}},
      {.name = "zero_shot_qa",
       .read = read_zero_shot_qa,
       .is_judged = true,
       .own_settings = {"answers"}},
      {.name = "msvd_qa", .read = read_msvd_qa, .is_judged = true, .own_settings = {"media_names"}},
      {.name = "msrvtt_qa", .read = read_msrvtt_qa, .is_judged = true},
      {.name = "video_chatgpt",
       .read = read_video_chatgpt,
       .is_judged = true,
       .more_measurements = rouge_of_answers},
      {.name = "video_chatgpt_consistency",
       .read = read_video_chatgpt_consistency,
       .is_judged = true,
       .asks_twice = true,
       .more_measurements = rouge_of_answers},
      {.name = "mvbench", .read = read_mvbench, .may_have_options = true},
      {.name = "msrvtt_captions",
       .read = read_msrvtt_captions,
       .answers = AnswerForm::caption,
       .own_settings = {"split"}},
      {.name = "msvd_captions",
       .read = read_msvd_captions,
       .answers = AnswerForm::caption,
       .own_settings = {"media_names"}},
      {.name = "captions",
       .read = nullptr,
       .answers = AnswerForm::caption,
       .own_settings = {"caption_format"}},
      {.name = "pope", .read = read_pope, .answers = AnswerForm::yes_or_no},
      {.name = "object_probes", .read = read_object_probes, .answers = AnswerForm::yes_or_no},
      {.name = "questions",
       .read = read_own_questions,
       .may_have_options = true,
       .is_judged = true},
  };
  return table;
}

}  // namespace

const TaskFormat& task_format(const std::string& name) {
  if (const TaskFormat* found = row_named(formats(), name)) return *found;
  throw UserError(fmt::format("there is no format '{}'; there are {}", name,
                              fmt::join(task_format_names(), ", ")));
}

std::vector<std::string> task_format_names() {
  return names_of_rows(formats());
}

std::string formats_with_setting(const std::string& setting) {
  std::vector<std::string_view> names;
  for (const TaskFormat& format : formats())
    if (std::ranges::find(format.own_settings, setting) != format.own_settings.end())
      names.push_back(format.name);
  return fmt::format("{}", fmt::join(names, " or "));
}

}  // namespace vllama::eval
