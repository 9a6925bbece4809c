// Rows of annotation files, each a JSON object, with errors that name file and row.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "eval/tasks/question.h"

namespace vllama::eval {

using Row = nlohmann::json;

// The objects of a file that is a JSON list, or several, or of one with an object per line, in
// UTF-8 or UTF-16. Throws UserError naming the file, and the row, if it is nothing of this, or
// holds no row. A score is over all questions: a broken row is not left out.
std::vector<Row> read_rows(const std::filesystem::path& file);

// Calls `use` with every row; what it throws as datasets::EntryError becomes a UserError that names
// the file, the row's number from 1 and what is wrong with it.
void for_each_row(const std::filesystem::path& file, const std::vector<Row>& rows,
                  const std::function<void(const Row&)>& use);

// Collects questions and refuses ids that occur twice.
class QuestionList {
 public:
  // Throws datasets::EntryError duplicate_id.
  void add(Question question);
  std::vector<Question> take() { return std::move(questions_); }

 private:
  std::set<std::string> ids_;
  std::vector<Question> questions_;
};

}  // namespace vllama::eval
