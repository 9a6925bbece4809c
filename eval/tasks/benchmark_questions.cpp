// The Video-ChatGPT benchmark and MVBench.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/error.h"
#include "datasets/entries/record_fields.h"
#include "eval/tasks/annotation_rows.h"
#include "eval/tasks/read_questions.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"

namespace vllama::eval {
namespace {

namespace fs = std::filesystem;
using tables::EntryError;
using tables::required_words;

// Rows of the same video are told apart as the judge's scripts do it.
class NumberedVideos {
 public:
  std::string id(const std::string& video) { return fmt::format("{}_{}", video, counts_[video]++); }

 private:
  std::map<std::string, int> counts_;
};

std::vector<std::string> candidates_of(const Row& row) {
  std::vector<std::string> candidates;
  for (const Row& candidate : tables::required_list(row, "candidates")) {
    candidates.push_back(tables::words_of(candidate, "candidates"));
  }
  return candidates;
}

std::vector<fs::path> json_files(const std::string& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  if (error)
    throw UserError(fmt::format("cannot list the folder '{}': {}", folder, error.message()));
  if (files.empty()) throw UserError(fmt::format("'{}' holds no .json file", folder));
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<Question> read_video_chatgpt(const TaskConfig& task, MediaFinder& media,
                                         AnnotationRows& rows) {
  QuestionList questions;
  NumberedVideos videos;
  for_each_row(task.annotations, rows, [&](const Row& row, std::size_t) {
    Question question;
    question.expected.video = required_words(row, "video_name");
    question.expected.id = videos.id(question.expected.video);
    question.expected.question = required_words(row, "Q");
    question.expected.references = {required_words(row, "A")};
    question.medium = media.find(question.expected.video);
    questions.add(std::move(question));
  });
  return questions.take();
}

std::vector<Question> read_video_chatgpt_consistency(const TaskConfig& task, MediaFinder& media,
                                                     AnnotationRows& rows) {
  QuestionList questions;
  NumberedVideos videos;
  for_each_row(task.annotations, rows, [&](const Row& row, std::size_t) {
    Question question;
    question.expected.video = required_words(row, "video_name");
    question.expected.references = {required_words(row, "A")};
    question.medium = media.find(question.expected.video);
    const std::string id = videos.id(question.expected.video);
    // A row without one of them has neither: they are judged as a pair.
    const std::string first = required_words(row, "Q1"), second = required_words(row, "Q2");
    for (const auto& [key, ending, text] :
         {std::tuple{"Q1", "_q1", &first}, std::tuple{"Q2", "_q2", &second}}) {
      question.expected.id = id + ending;
      question.expected.question = *text;
      question.expected.type = key;
      questions.add(question);
    }
  });
  return questions.take();
}

std::vector<Question> read_mvbench(const TaskConfig& task, MediaFinder& media,
                                   AnnotationRows& rows) {
  QuestionList questions;
  for (const fs::path& file : json_files(task.annotations)) {
    for_each_row(file, rows, [&](const Row& row, std::size_t number) {
      Question question;
      Prediction& expected = question.expected;
      expected.type = file.stem().string();
      expected.id = fmt::format("{}_{:04}", expected.type, number);
      expected.video = required_words(row, "video");
      expected.question = required_words(row, "question");
      expected.options = candidates_of(row);
      expected.references = {required_words(row, "answer")};
      if (std::ranges::find(expected.options, expected.references[0]) == expected.options.end())
        throw EntryError(
            "no_right_option",
            fmt::format("the answer '{}' is not among the candidates", expected.references[0]));
      question.medium = media.find_any({expected.video, fs::path(expected.type) / expected.video});
      if (question.medium) datasets::read_times(row, *question.medium);
      questions.add(std::move(question));
    });
  }
  return questions.take();
}

}  // namespace vllama::eval
