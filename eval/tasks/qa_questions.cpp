// Open-ended questions with short answers: ActivityNet-QA, MSVD-QA, MSRVTT-QA.
#include <fmt/format.h>

#include <map>
#include <sstream>

#include "core/error.h"
#include "core/text_encoding.h"
#include "eval/tasks/annotation_rows.h"
#include "eval/tasks/read_questions.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"

namespace vllama::eval {
namespace {

namespace fs = std::filesystem;
using tables::EntryError;
using tables::required_words;

struct Answer {
  std::string text, type;
};

std::map<std::string, Answer> read_answers(const TaskConfig& task, AnnotationRows& rows) {
  if (task.answers.empty())
    throw UserError("answers is missing: the file whose rows have question_id and answer");
  std::map<std::string, Answer> answers;
  for_each_row(task.answers, rows, [&](const Row& row, std::size_t) {
    Answer answer{required_words(row, "answer"),
                  row.contains("type") ? tables::required_words(row, "type") : ""};
    const std::string id = tables::required_words(row, "question_id");
    if (!answers.emplace(id, std::move(answer)).second)
      throw UserError(fmt::format("duplicate_id: '{}' is there twice", id));
  });
  return answers;
}

// That the files belong together is sure as long as no more answers are missing than rows of the
// answers are broken, and no more questions than rows of the questions.
std::vector<Question> read_two_files(
    const TaskConfig& task, AnnotationRows& rows,
    const std::function<std::optional<samples::MediaFile>(const std::string& video)>& find) {
  AnnotationRows answer_rows;
  auto answers = read_answers(task, answer_rows);
  std::int64_t num_without = 0;
  QuestionList questions;
  for_each_row(task.annotations, rows, [&](const Row& row, std::size_t) {
    Question question;
    question.expected.id = tables::required_words(row, "question_id");
    question.expected.video = required_words(row, "video_name");
    question.expected.question = required_words(row, "question");
    const auto answer = answers.find(question.expected.id);
    if (answer == answers.end()) {
      const std::string what =
          fmt::format("'{}' has no answer in '{}'", question.expected.id, task.answers);
      if (++num_without > answer_rows.left_out.total())
        throw UserError(fmt::format("missing_answer: {}", what));
      throw EntryError("missing_answer",
                       fmt::format("{}, {}", what, answer_rows.left_out.summary()));
    }
    question.expected.references = {answer->second.text};
    question.expected.type = answer->second.type;
    question.medium = find(question.expected.video);
    answers.erase(answer);
    questions.add(std::move(question));
  });
  if (std::ssize(answers) > rows.left_out.total() - num_without)
    throw UserError(fmt::format("'{}': {} answers have no question in '{}', the first is of '{}'",
                                task.answers, answers.size(), task.annotations,
                                answers.begin()->first));
  return questions.take();
}

std::vector<Question> read_rows_with_number(
    const TaskConfig& task, AnnotationRows& rows,
    const std::function<std::optional<samples::MediaFile>(const std::string& video)>& find) {
  QuestionList questions;
  for_each_row(task.annotations, rows, [&](const Row& row, std::size_t number) {
    Question question;
    Prediction& expected = question.expected;
    // The lines of ALPRO and ClipBERT have no ids.
    expected.id = row.contains("id")            ? tables::required_words(row, "id")
                  : row.contains("question_id") ? tables::required_words(row, "question_id")
                                                : std::to_string(number);
    expected.video = tables::required_words(row, row.contains("video") ? "video" : "video_id");
    expected.question = required_words(row, "question");
    expected.references = {required_words(row, "answer")};
    if (row.contains("answer_type")) expected.type = required_words(row, "answer_type");
    question.medium = find(expected.video);
    questions.add(std::move(question));
  });
  return questions.take();
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

std::vector<Question> read_activitynet_qa(const TaskConfig& task, MediaFinder& media,
                                          AnnotationRows& rows) {
  return read_two_files(task, rows, [&media](const std::string& video) {
    return media.find_any({"v_" + video, video});
  });
}

std::vector<Question> read_zero_shot_qa(const TaskConfig& task, MediaFinder& media,
                                        AnnotationRows& rows) {
  return read_two_files(task, rows, [&media](const std::string& video) {
    return media.find_any({video, "v_" + video});
  });
}

std::vector<Question> read_msvd_qa(const TaskConfig& task, MediaFinder& media,
                                   AnnotationRows& rows) {
  const auto names = msvd_names(task.media_names);
  return read_rows_with_number(task, rows, [&](const std::string& video) {
    const auto name = names.find(is_number(video) ? "vid" + video : video);
    return media.find(name == names.end() ? video : name->second);
  });
}

std::vector<Question> read_msrvtt_qa(const TaskConfig& task, MediaFinder& media,
                                     AnnotationRows& rows) {
  return read_rows_with_number(task, rows, [&media](const std::string& video) {
    return media.find(is_number(video) ? "video" + video : video);
  });
}

std::map<std::string, std::string> msvd_names(const std::string& file) {
  std::map<std::string, std::string> names;
  if (file.empty()) return names;
  std::istringstream lines(read_text_file(file));
  std::int64_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    std::istringstream words(line);
    std::string name, video, more;
    if (!(words >> name)) continue;
    if (!(words >> video) || words >> more)
      throw UserError(fmt::format("'{}': line {}: expected '<name> vid<number>'", file, number));
    names[video] = name;
  }
  return names;
}

}  // namespace vllama::eval
