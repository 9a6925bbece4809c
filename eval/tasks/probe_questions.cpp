// Questions about objects that are, or are not, to be seen (POPE).
#include <fmt/format.h>

#include "datasets/entry_error.h"
#include "datasets/json_fields.h"
#include "eval/tasks/annotation_rows.h"
#include "eval/tasks/read_questions.h"

namespace vllama::eval {

std::vector<Question> read_pope(const TaskConfig& task, MediaFinder& media) {
  QuestionList questions;
  const auto rows = read_rows(task.annotations);
  for_each_row(task.annotations, rows, [&](const Row& row) {
    Question question;
    Prediction& expected = question.expected;
    expected.id = text_or_number(row, "question_id");
    expected.video = datasets::required_text(row, row.contains("image") ? "image" : "video");
    expected.question = datasets::required_text(row, "text");
    const std::string label = datasets::required_text(row, "label");
    if (label != "yes" && label != "no")
      throw datasets::EntryError("bad_label", fmt::format("'label' is '{}', not yes or no", label));
    expected.references = {label};
    expected.type = datasets::optional_text(row, "category").value_or("");
    question.medium = media.find(expected.video);
    questions.add(std::move(question));
  });
  return questions.take();
}

}  // namespace vllama::eval
