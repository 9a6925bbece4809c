// Questions about objects that are, or are not, to be seen (POPE).
#include <fmt/format.h>

#include "eval/tasks/annotation_rows.h"
#include "eval/tasks/read_questions.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"

namespace vllama::eval {

std::vector<Question> read_pope(const TaskConfig& task, MediaFinder& media, AnnotationRows& rows) {
  QuestionList questions;
  for_each_row(task.annotations, rows, [&](const Row& row, std::size_t) {
    Question question;
    Prediction& expected = question.expected;
    expected.id = tables::required_words(row, "question_id");
    expected.video = tables::required_words(row, row.contains("image") ? "image" : "video");
    expected.question = tables::required_words(row, "text");
    const std::string label = tables::required_words(row, "label");
    if (label != "yes" && label != "no")
      throw tables::EntryError("bad_label", fmt::format("'label' is '{}', not yes or no", label));
    expected.references = {label};
    expected.type = tables::optional_words(row, "category").value_or("");
    question.medium = media.find(expected.video);
    questions.add(std::move(question));
  });
  return questions.take();
}

std::vector<MediumObjects> read_objects(const std::string& file, AnnotationRows& rows) {
  std::vector<MediumObjects> media;
  for_each_row(file, rows, [&](const Row& row, std::size_t) {
    MediumObjects medium;
    medium.video = tables::required_words(row, row.contains("image") ? "image" : "video");
    medium.id = row.contains("id") ? tables::required_words(row, "id") : medium.video;
    for (const Row& object : tables::required_list(row, "objects")) {
      medium.objects.push_back(tables::words_of(object, "objects"));
      if (medium.objects.back().empty())
        throw tables::EntryError("missing_object", "an object has an empty name");
    }
    if (medium.objects.size() > kMaxObjects)
      throw tables::EntryError("too_many_objects",
                               fmt::format("a medium has at most {}", kMaxObjects));
    media.push_back(std::move(medium));
  });
  return media;
}

std::vector<Question> read_object_probes(const TaskConfig& task, MediaFinder& media,
                                         AnnotationRows& rows) {
  std::vector<Question> questions;
  for (Prediction& probe : object_probes(read_objects(task.annotations, rows))) {
    Question question;
    question.medium = media.find(probe.video);
    question.expected = std::move(probe);
    questions.push_back(std::move(question));
  }
  return questions;
}

}  // namespace vllama::eval
