#include "tables/csv.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace vllama::tables {
namespace {

constexpr std::uint64_t kLowBits = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x8080808080808080;

// Non-zero if one of the eight bytes is zero.
constexpr std::uint64_t zero_bytes(std::uint64_t bytes) {
  return (bytes - kLowBits) & ~bytes & kHighBits;
}

}  // namespace

std::string CsvField::value() const {
  if (!is_quoted) return std::string(raw);
  std::string text;
  std::size_t i = 1;
  while (i < raw.size()) {
    if (raw[i] != '"') {
      text += raw[i++];
    } else if (i + 1 < raw.size() && raw[i + 1] == '"') {
      text += '"';
      i += 2;
    } else {
      return text.append(raw.substr(i + 1));
    }
  }
  return text;
}

CsvScanner::CsvScanner(std::string_view text, char separator, std::size_t offset, std::int64_t line)
    : text_(text), separator_(separator), position_(offset), line_(line) {}

bool CsvScanner::next(CsvRow& row) {
  while (position_ < text_.size() && (text_[position_] == '\n' || text_[position_] == '\r')) {
    if (text_[position_] == '\r' && !text_.substr(position_ + 1).starts_with('\n')) break;
    line_ += text_[position_++] == '\n';
  }
  row.fields.clear();
  row.begin = position_;
  row.line = line_;
  row.is_ascii = true;
  row.has_open_quote = false;
  if (position_ >= text_.size()) return false;
  while (true) {
    const std::size_t begin = position_;
    const bool is_quoted = position_ < text_.size() && text_[position_] == '"';
    if (is_quoted) read_quoted(row);
    skip_to_field_end(row);
    std::size_t end = position_;
    const bool ends_row = position_ >= text_.size() || text_[position_] == '\n';
    if (ends_row && end > begin && text_[end - 1] == '\r') --end;
    row.fields.push_back({text_.substr(begin, end - begin), is_quoted});
    if (ends_row) break;
    ++position_;
  }
  if (position_ < text_.size()) {
    ++position_;
    ++line_;
  }
  row.end = position_;
  return true;
}

// From an opening quotation mark to behind the closing one; to the end of its line if there is
// none.
void CsvScanner::read_quoted(CsvRow& row) {
  const std::size_t opening = position_;
  const std::int64_t opening_line = line_;
  for (++position_; position_ < text_.size(); ++position_) {
    const char byte = text_[position_];
    if (byte == '"') {
      ++position_;
      if (position_ >= text_.size() || text_[position_] != '"') return;
    }
    line_ += byte == '\n';
    row.is_ascii &= static_cast<signed char>(byte) >= 0;
  }
  row.has_open_quote = true;
  position_ = std::min(text_.find('\n', opening), text_.size());
  line_ = opening_line;
}

// To the next separator, line end or the end of the text, eight bytes at a time.
void CsvScanner::skip_to_field_end(CsvRow& row) {
  const std::uint64_t separators = kLowBits * static_cast<unsigned char>(separator_);
  std::uint64_t seen = 0;
  while (position_ + 8 <= text_.size()) {
    std::uint64_t bytes;
    std::memcpy(&bytes, text_.data() + position_, 8);
    if (zero_bytes(bytes ^ separators) | zero_bytes(bytes ^ (kLowBits * '\n'))) break;
    seen |= bytes;
    position_ += 8;
  }
  for (; position_ < text_.size(); ++position_) {
    const char byte = text_[position_];
    if (byte == separator_ || byte == '\n') break;
    seen |= static_cast<unsigned char>(byte);
  }
  row.is_ascii &= (seen & kHighBits) == 0;
}

bool is_missing_value(std::string_view value) {
  constexpr std::array<std::string_view, 19> kMissing = {
      "",     "#N/A",   "#N/A N/A", "#NA",  "-1.#IND", "-1.#QNAN", "-NaN",
      "-nan", "1.#IND", "1.#QNAN",  "<NA>", "N/A",     "NA",       "NULL",
      "NaN",  "None",   "n/a",      "nan",  "null"};
  constexpr std::size_t kLongest = 8;
  return value.size() <= kLongest &&
         std::find(kMissing.begin(), kMissing.end(), value) != kMissing.end();
}

}  // namespace vllama::tables
