#include "eval/tasks/annotation_rows.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "datasets/entry_error.h"

namespace vllama::eval {
namespace {

using datasets::EntryError;

[[noreturn]] void not_rows(const std::filesystem::path& file, const std::string& why) {
  throw UserError(fmt::format(
      "'{}': {}; expected a JSON list of objects, or a file with an object in every line",
      file.string(), why));
}

Row parsed(std::string_view text, const std::filesystem::path& file, const std::string& where) {
  try {
    return Row::parse(text);
  } catch (const Row::exception&) {
    not_rows(file, where + " is not JSON");
  }
}

std::vector<Row> rows_of_lines(const std::string& text, const std::filesystem::path& file) {
  std::vector<Row> rows;
  std::size_t number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line(text.data() + begin, end - begin);
    ++number;
    if (line.find_first_not_of(" \t\r") != std::string_view::npos)
      rows.push_back(parsed(line, file, fmt::format("line {}", number)));
    begin = end + 1;
  }
  return rows;
}

}  // namespace

std::vector<Row> read_rows(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) not_rows(file, "it is empty");
  std::vector<Row> rows;
  if (text[first] == '[')
    rows = parsed(text, file, "it").get<std::vector<Row>>();
  else
    rows = rows_of_lines(text, file);
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

std::string text_or_number(const Row& row, const char* key) {
  const auto found = row.find(key);
  if (found == row.end() || found->is_null())
    throw EntryError("missing_key", fmt::format("there is no '{}'", key));
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number_integer()) return std::to_string(found->get<std::int64_t>());
  throw EntryError("wrong_type", fmt::format("'{}' must be text or a whole number", key));
}

void QuestionList::add(Question question) {
  if (question.expected.id.empty()) throw EntryError("missing_id");
  if (!ids_.insert(question.expected.id).second)
    throw EntryError("duplicate_id", fmt::format("'{}' is there twice", question.expected.id));
  questions_.push_back(std::move(question));
}

}  // namespace vllama::eval
