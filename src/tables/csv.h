// Rows of CSV and TSV text (RFC 4180), found in one pass and read where they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/utf8.h"

namespace vllama::tables {

// A field as it stands in the text, quotation marks included.
struct CsvField {
  std::string_view raw;
  bool is_quoted = false;  // begins with a quotation mark

  // What the field says: quotes removed, doubled quotes single. Text behind a closing quote belongs
  // to the field, as in pandas.
  std::string value() const;
};

struct CsvRow {
  std::size_t begin = 0, end = 0;  // bytes in the text; `end` is behind the line's end
  std::int64_t line = 0;           // of the first byte, from 1
  bool is_ascii = true;
  bool has_open_quote = false;  // one of its fields is quoted and never closed
  std::vector<CsvField> fields;
};

// Reads row after row. Fields may be quoted and then hold separators, doubled quotes and line
// breaks; a quotation mark inside an unquoted field is a character like any other. Lines end in LF
// or CRLF; empty lines are no rows.
//
// A field whose quotation mark is never closed ends its row, and the row ends with the line that
// the mark stands in: what follows is read as if nothing had happened. All marks behind that one
// come in pairs, or one would close it. So every quoted field behind it is closed where it begins,
// no other stays open, and no part of a text is read more than twice.
class CsvScanner {
 public:
  // `offset` is where to begin in `text`, at the start of line number `line`.
  CsvScanner(std::string_view text, char separator, std::size_t offset = 0, std::int64_t line = 1);

  // False at the end of the text.
  bool next(CsvRow& row);
  // Number of the line behind the last row.
  std::int64_t line() const { return line_; }

 private:
  void read_quoted(CsvRow& row);
  void skip_to_field_end(CsvRow& row);

  std::string_view text_;
  char separator_;
  std::size_t position_;
  std::int64_t line_;
};

// True for the field values that mean "no value": what pandas reads as NaN, the empty one included.
bool is_missing_value(std::string_view value);

}  // namespace vllama::tables
