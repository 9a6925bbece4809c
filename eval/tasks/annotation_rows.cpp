#include "eval/tasks/annotation_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/json_depth.h"
#include "datasets/annotation_text.h"
#include "datasets/entry_error.h"
#include "datasets/json_array.h"

namespace vllama::eval {
namespace {

using datasets::EntryError;

[[noreturn]] void not_rows(const std::filesystem::path& file, const std::string& why) {
  throw UserError(fmt::format(
      "'{}': {}; expected a JSON list of objects, or a file with an object in every line",
      file.string(), why));
}

Row parsed(std::string_view text, const std::filesystem::path& file, const std::string& where) {
  if (is_nested_too_deep(text))
    not_rows(file, fmt::format("{} is nested more than {} deep", where, kMaxJsonDepth));
  try {
    return Row::parse(text);
  } catch (const Row::exception& problem) {
    not_rows(file, fmt::format("{} is not JSON ({})", where, problem.what()));
  }
}

std::vector<Row> rows_of_lines(std::string_view text, const std::filesystem::path& file) {
  std::vector<Row> rows;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = text.substr(begin, end - begin);
    ++number;
    if (line.find_first_not_of(" \t\r") != std::string_view::npos)
      rows.push_back(parsed(line, file, fmt::format("line {}", number)));
    begin = end + 1;
  }
  return rows;
}

std::vector<Row> rows_of_arrays(const datasets::AnnotationText& content,
                                const std::filesystem::path& file) {
  const std::string_view text = content.text();
  std::vector<Row> rows;
  std::uint64_t counted = 0;
  std::int64_t line = 1;
  for (const auto& [begin, length] : datasets::find_elements(content, "")) {
    line += std::count(text.begin() + static_cast<long>(counted),
                       text.begin() + static_cast<long>(begin), '\n');
    counted = begin;
    rows.push_back(parsed(text.substr(begin, length), file,
                          fmt::format("row {} in line {}", rows.size() + 1, line)));
  }
  return rows;
}

}  // namespace

std::vector<Row> read_rows(const std::filesystem::path& file) {
  const datasets::AnnotationText content(file);
  const std::string_view text = content.text().substr(content.begin());
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) not_rows(file, "it is empty");
  const std::vector<Row> rows =
      text[first] == '[' ? rows_of_arrays(content, file) : rows_of_lines(text, file);
  if (rows.empty()) not_rows(file, "it holds no row");
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (!rows[i].is_object()) not_rows(file, fmt::format("row {} is not an object", i + 1));
  return rows;
}

void for_each_row(const std::filesystem::path& file, const std::vector<Row>& rows,
                  const std::function<void(const Row&)>& use) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    try {
      use(rows[i]);
    } catch (const EntryError& error) {
      const std::string_view detail = error.what();
      throw UserError(fmt::format("'{}': row {}: {}{}{}", file.string(), i + 1, error.reason,
                                  detail.empty() ? "" : ": ", detail));
    }
  }
}

void QuestionList::add(Question question) {
  if (question.expected.id.empty()) throw EntryError("missing_id");
  if (!ids_.insert(question.expected.id).second)
    throw EntryError("duplicate_id", fmt::format("'{}' is there twice", question.expected.id));
  questions_.push_back(std::move(question));
}

}  // namespace vllama::eval
