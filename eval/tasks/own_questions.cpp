// Questions in our own format, for media of one's own.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "datasets/entries/record_fields.h"
#include "eval/tasks/annotation_rows.h"
#include "eval/tasks/read_questions.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"

namespace vllama::eval {
namespace {

using tables::EntryError;

std::vector<std::string> texts(const Row& row, const char* key) {
  std::vector<std::string> found;
  for (const Row& item : tables::required_list(row, key)) {
    found.push_back(tables::words_of(item, key));
  }
  return found;
}

std::string medium_of(const Row& row) {
  std::string name;
  for (const char* key : {"video", "image", "sound"}) {
    if (!row.contains(key)) continue;
    if (!name.empty()) throw EntryError("many_media", "a question is about one medium");
    name = tables::required_words(row, key);
  }
  if (name.empty()) throw EntryError("missing_media", "there is no 'video', 'image' or 'sound'");
  return name;
}

void check_keys(const Row& row) {
  static const std::set<std::string> kKnown = {"id",       "video",  "image",   "sound",
                                               "question", "answer", "answers", "type",
                                               "options",  "start",  "end"};
  for (const auto& [key, value] : row.items())
    if (!kKnown.contains(key)) throw EntryError("unknown_key", fmt::format("'{}'", key));
}

}  // namespace

std::vector<Question> read_own_questions(const TaskConfig& task, MediaFinder& media,
                                         AnnotationRows& rows) {
  QuestionList questions;
  for_each_row(task.annotations, rows, [&](const Row& row, std::size_t) {
    check_keys(row);
    Question question;
    Prediction& expected = question.expected;
    expected.id = tables::required_words(row, "id");
    expected.video = medium_of(row);
    expected.question = tables::required_words(row, "question");
    expected.references = row.contains("answers")
                              ? texts(row, "answers")
                              : std::vector{tables::required_words(row, "answer")};
    if (expected.references.empty()) throw EntryError("missing_answer", "'answers' is empty");
    expected.type = tables::optional_words(row, "type").value_or("");
    if (row.contains("options")) expected.options = texts(row, "options");
    if (!expected.options.empty() &&
        std::ranges::find(expected.options, expected.references[0]) == expected.options.end())
      throw EntryError("no_right_option", "the answer is not among the options");
    question.medium = media.find(expected.video);
    if (question.medium) datasets::read_times(row, *question.medium);
    questions.add(std::move(question));
  });
  return questions.take();
}

}  // namespace vllama::eval
