// Answers of a task while they are made: each rank appends to a file of its own, and what is there
// stays when the evaluation is interrupted.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "eval/tasks/question.h"

namespace vllama::eval {

inline constexpr const char* kPredictionsFile = "predictions.jsonl";

// Questions that are answered together: always the same ones, whatever the number of ranks and
// interruptions, so that answers do not depend on either.
struct QuestionGroup {
  std::size_t begin, end;  // numbers of questions
};

std::vector<QuestionGroup> groups_of(std::size_t num_questions, std::int64_t group_size);

class AnswerFolder {
 public:
  // Makes the folder if it is not there.
  explicit AnswerFolder(std::filesystem::path folder);

  // Brings what the ranks have written so far into one file, on one rank alone while no other
  // writes. A last line that was cut, lines that are not JSON, of which a warning tells, and
  // answers that are there twice are left out. Throws UserError for answers to other questions.
  std::vector<Prediction> collect(const std::vector<Question>& questions) const;

  // Appends to the file of a rank.
  void append(std::int64_t rank, const std::vector<Prediction>& predictions) const;

  // All is answered: writes predictions.jsonl and removes the files of the ranks.
  void finish(const std::vector<Prediction>& predictions) const;

  std::filesystem::path predictions_file() const { return folder_ / kPredictionsFile; }
  const std::filesystem::path& path() const { return folder_; }

 private:
  std::filesystem::path part(std::int64_t rank) const;

  std::filesystem::path folder_;
};

}  // namespace vllama::eval
