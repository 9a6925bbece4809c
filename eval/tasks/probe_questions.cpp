// Questions about objects that are, or are not, to be seen (POPE).
#include <fmt/format.h>

#include "datasets/entries/entry_error.h"
#include "datasets/tables/json_fields.h"
#include "eval/tasks/annotation_rows.h"
#include "eval/tasks/read_questions.h"

namespace vllama::eval {

std::vector<Question> read_pope(const TaskConfig& task, MediaFinder& media, AnnotationRows& rows) {
  QuestionList questions;
  for_each_row(task.annotations, rows, [&](const Row& row, std::size_t) {
    Question question;
    Prediction& expected = question.expected;
    expected.id = datasets::required_words(row, "question_id");
    expected.video = datasets::required_words(row, row.contains("image") ? "image" : "video");
    expected.question = datasets::required_words(row, "text");
    const std::string label = datasets::required_words(row, "label");
    if (label != "yes" && label != "no")
      throw datasets::EntryError("bad_label", fmt::format("'label' is '{}', not yes or no", label));
    expected.references = {label};
    expected.type = datasets::optional_words(row, "category").value_or("");
    question.medium = media.find(expected.video);
    questions.add(std::move(question));
  });
  return questions.take();
}

std::vector<MediumObjects> read_objects(const std::string& file, AnnotationRows& rows) {
  std::vector<MediumObjects> media;
  for_each_row(file, rows, [&](const Row& row, std::size_t) {
    MediumObjects medium;
    medium.video = datasets::required_words(row, row.contains("image") ? "image" : "video");
    medium.id = row.contains("id") ? datasets::required_words(row, "id") : medium.video;
    for (const Row& object : datasets::required_list(row, "objects")) {
      medium.objects.push_back(datasets::words_of(object, "objects"));
      if (medium.objects.back().empty())
        throw datasets::EntryError("missing_object", "an object has an empty name");
    }
    if (medium.objects.size() > kMaxObjects)
      throw datasets::EntryError("too_many_objects",
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
