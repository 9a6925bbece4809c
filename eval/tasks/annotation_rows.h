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

// The objects of a file that is a JSON list, or of one with an object per line. Throws UserError
// naming the file if it is neither, or holds no row.
std::vector<Row> read_rows(const std::filesystem::path& file);

// Calls `use` with every row; what it throws as datasets::EntryError becomes a UserError that names
// the file, the row's number from 1 and what is wrong with it.
void for_each_row(const std::filesystem::path& file, const std::vector<Row>& rows,
                  const std::function<void(const Row&)>& use);

// Text, or a number written out; EntryError missing_key or wrong_type.
std::string text_or_number(const Row& row, const char* key);

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
