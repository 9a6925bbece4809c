// Rows of annotation files, each a JSON object; a broken one costs itself.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "eval/tasks/question.h"

namespace vllama::eval {

using Row = nlohmann::json;

// `number` counts all rows of the file from 0, broken ones too.
using UseRow = std::function<void(const Row&, std::size_t number)>;

// Calls `use` with every object of a file that is a JSON list, or several, or has an object per
// line, in UTF-8 or UTF-16; with a `key`, of the list that the file's object has under it. A row
// that is not JSON, no object, or for which `use` throws datasets::EntryError, is broken: `rows`
// counts it and knows its place. What `use` throws as UserError refuses the file, and is given the
// row's place. Throws UserError naming the file if it is nothing of this, if it holds no row, or
// if all its rows are broken.
void for_each_row(const std::filesystem::path& file, AnnotationRows& rows, const UseRow& use,
                  std::string_view key = {});

// What is done with the rows of one file, where they are found in another way.
class RowCheck {
 public:
  RowCheck(std::filesystem::path file, AnnotationRows& rows)
      : file_(std::move(file)), rows_(rows) {}

  // Calls `use` for the row at `place`, "row 3 (line 7)".
  void row(const std::string& place, const std::function<void()>& use);
  // Throws UserError, naming the first, if there were rows and all were broken.
  void finish() const;

 private:
  std::filesystem::path file_;
  AnnotationRows& rows_;
  std::size_t num_rows_ = 0, num_broken_ = 0;
  std::string first_;
};

// "3 of 20 rows of the annotation are broken and left out: ...", the first few by name; empty if
// none is.
std::string rows_left_out(const AnnotationRows& rows);

// Collects questions and refuses ids that occur twice: no one can say which of the two is meant.
class QuestionList {
 public:
  // Throws datasets::EntryError missing_id, and UserError for an id that is there already.
  void add(Question question);
  std::vector<Question> take() { return std::move(questions_); }

 private:
  std::set<std::string> ids_;
  std::vector<Question> questions_;
};

}  // namespace vllama::eval
