#include "eval/tasks/annotation_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "tables/annotation_text.h"
#include "tables/entry_error.h"
#include "tables/json_array.h"
#include "tables/json_text.h"

namespace vllama::eval {
namespace {

using tables::EntryError;

constexpr const char* kExpected =
    "expected a JSON list of objects, or a file with an object in every line";

std::vector<tables::JsonExtent> find_rows(const tables::AnnotationText& content,
                                          std::string_view key) {
  const std::string file = content.path().string();
  const bool is_empty =
      content.text().find_first_not_of(" \t\r\n", content.begin()) == std::string_view::npos;
  if (is_empty) throw UserError(fmt::format("'{}': it is empty; {}", file, kExpected));
  try {
    auto found = tables::find_elements(content, key);
    if (found.empty()) throw UserError(fmt::format("'{}': it holds no row", file));
    return found;
  } catch (const UserError& error) {
    if (!key.empty()) throw;
    throw UserError(fmt::format("{}; {}", error.what(), kExpected));
  }
}

Row object_of(std::string_view text) {
  Row row = tables::parse_entry(text).value;
  if (!row.is_object())
    throw EntryError("wrong_type", fmt::format("{}, not an object", row.type_name()));
  return row;
}

std::string with_detail(std::string_view reason, std::string_view detail) {
  return fmt::format("{}{}{}", reason, detail.empty() ? "" : ": ", detail);
}

}  // namespace

void RowCheck::row(const std::string& place, const std::function<void()>& use) {
  ++num_rows_;
  ++rows_.num_rows;
  try {
    use();
  } catch (const EntryError& error) {
    rows_.left_out.add(error.reason, fmt::format("'{}': {}", file_.string(), place), error.what());
    if (num_broken_++ == 0)
      first_ = fmt::format("{}: {}", place, with_detail(error.reason, error.what()));
  } catch (const UserError& error) {
    throw UserError(fmt::format("'{}': {}: {}", file_.string(), place, error.what()));
  }
}

void RowCheck::finish() const {
  if (num_rows_ == 0 || num_broken_ < num_rows_) return;
  throw UserError(fmt::format(
      "'{}': {}{}", file_.string(), first_,
      num_rows_ == 1 ? "" : fmt::format("; so none of its {} rows can be used", num_rows_)));
}

void for_each_row(const std::filesystem::path& file, AnnotationRows& rows, const UseRow& use,
                  std::string_view key) {
  const tables::AnnotationText content(file);
  const std::string_view text = content.text();
  RowCheck check(file, rows);
  std::size_t number = 0, counted = 0;
  std::int64_t line = 1;
  for (const auto& [begin, length] : find_rows(content, key)) {
    line += std::count(text.begin() + static_cast<long>(counted),
                       text.begin() + static_cast<long>(begin), '\n');
    counted = begin;
    const std::string_view row = text.substr(begin, length);
    check.row(fmt::format("row {} (line {})", number + 1, line),
              [&] { use(object_of(row), number); });
    ++number;
  }
  check.finish();
}

std::string rows_left_out(const AnnotationRows& rows) {
  constexpr std::size_t kMostNamed = 3;
  const std::int64_t total = rows.left_out.total();
  if (total == 0) return "";
  std::string text = fmt::format("{} of {} rows of the annotation {} broken and left out: ", total,
                                 rows.num_rows, total == 1 ? "is" : "are");
  const auto& listed = rows.left_out.listed();
  const std::size_t num_named = std::min(listed.size(), kMostNamed);
  for (std::size_t i = 0; i < num_named; ++i)
    text += fmt::format("{}{}: {}", i == 0 ? "" : "; ", listed[i].place,
                        with_detail(listed[i].reason, listed[i].detail));
  const std::int64_t num_more = total - static_cast<std::int64_t>(num_named);
  return num_more == 0 ? text : text + fmt::format("; and {} more", num_more);
}

void QuestionList::add(Question question) {
  if (question.expected.id.empty()) throw EntryError("missing_id");
  if (!ids_.insert(question.expected.id).second)
    throw UserError(fmt::format("duplicate_id: '{}' is there twice", question.expected.id));
  questions_.push_back(std::move(question));
}

}  // namespace vllama::eval
