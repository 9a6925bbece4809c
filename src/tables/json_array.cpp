#include "tables/json_array.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "core/error.h"
#include "core/text_encoding.h"
#include "tables/mapped_text.h"

namespace vllama::tables {
namespace {

// Steps over JSON values without looking into them; frees the pages behind it.
class Scanner {
 public:
  explicit Scanner(const AnnotationText& file)
      : file_(file), text_(file.text()), position_(file.begin()) {}

  std::size_t position() const { return position_; }

  // The next byte that is not white space, 0 at the end.
  char peek() {
    while (position_ < text_.size() && is_space(text_[position_])) ++position_;
    return position_ < text_.size() ? text_[position_] : '\0';
  }

  bool take(char byte) {
    if (peek() != byte) return false;
    ++position_;
    return true;
  }

  void expect(char byte) {
    if (!take(byte)) fail(fmt::format("'{}' is missing", byte));
  }

  // True behind the last value; a byte order mark may stand between joined files.
  bool is_at_end() {
    if (peek() == kByteOrderMark[0] && text_.substr(position_).starts_with(kByteOrderMark))
      position_ += kByteOrderMark.size();
    return peek() == '\0' && position_ >= text_.size();
  }

  // The rest of the line, without its end, and over it.
  std::string_view skip_line() {
    const std::size_t begin = position_;
    position_ = std::min(text_.find('\n', begin), text_.size());
    const std::string_view line = text_.substr(begin, position_ - begin);
    position_ += position_ < text_.size();
    release_behind();
    return line;
  }

  // True if the objects from here on stand one in a line: this one does, or the next line begins
  // with one, which within an object it cannot.
  bool has_object_per_line() const {
    const std::size_t line_end = std::min(text_.find('\n', position_), text_.size());
    Scanner next = *this;
    next.position_ = line_end;
    if (next.peek() == '{') return true;
    Scanner line = *this;
    line.text_ = text_.substr(0, line_end);
    line.is_look_ahead_ = true;
    try {
      line.skip_value();
      line.take(',');
    } catch (const UserError&) {
      return false;
    }
    return line.peek() == '\0';
  }

  // Steps back to `begin`, where a value begins that cannot be stepped over, and over its line.
  // Nothing unless it is the only value of that line and the next line begins with another, or with
  // the end of the array.
  std::optional<JsonExtent> skip_broken_row(std::size_t begin) {
    const std::size_t line_begin = text_.substr(0, begin).find_last_of('\n') + 1;
    if (text_.substr(line_begin, begin - line_begin).find_first_not_of(" \t[,") !=
        std::string_view::npos)
      return std::nullopt;
    Scanner next = *this;
    next.position_ = std::min(text_.find('\n', begin), text_.size());
    if (next.peek() != '{' && next.peek() != ']') return std::nullopt;
    position_ = begin;
    released_ = std::min(released_, begin);
    return JsonExtent{begin, row_of(skip_line()).size()};
  }

  // A line without white space and comma at its end.
  static std::string_view row_of(std::string_view line) {
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    if (line.ends_with(',')) line.remove_suffix(1);
    return line;
  }

  // True if a string of the last value goes beyond its line.
  bool has_line_in_string() const { return has_line_in_string_; }

  std::string_view skip_value() {
    has_line_in_string_ = false;
    const char first = peek();
    const std::size_t begin = position_;
    if (first == '"') {
      skip_string();
    } else if (first == '{' || first == '[') {
      skip_nested();
    } else {
      while (position_ < text_.size() && !is_space(text_[position_]) &&
             std::string_view(",:]}").find(text_[position_]) == std::string_view::npos)
        ++position_;
      if (position_ == begin) fail("a value is missing");
    }
    release_behind();
    return text_.substr(begin, position_ - begin);
  }

  [[noreturn]] void fail(const std::string& problem) const {
    throw UserError(fmt::format("'{}' is not valid JSON at byte {}: {}", file_.path().string(),
                                position_, problem));
  }

 private:
  static bool is_space(char byte) {
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
  }

  void skip_string() {
    for (++position_; position_ < text_.size(); ++position_) {
      has_line_in_string_ |= text_[position_] == '\n';
      if (text_[position_] == '\\') {
        ++position_;
      } else if (text_[position_] == '"') {
        ++position_;
        return;
      }
    }
    position_ = text_.size();
    fail("a string is not closed");
  }

  void skip_nested() {
    std::int64_t depth = 0;
    do {
      const char byte = peek();
      if (byte == '"') {
        skip_string();
        continue;
      }
      if (position_ >= text_.size()) fail("an object or array is not closed");
      depth += byte == '{' || byte == '[';
      depth -= byte == '}' || byte == ']';
      ++position_;
    } while (depth > 0);
  }

  void release_behind() {
    if (is_look_ahead_ || position_ - released_ < kScanWindowBytes) return;
    file_.release_pages(released_, position_ - released_);
    released_ = position_ / kAccessWindowBytes * kAccessWindowBytes;
  }

  const AnnotationText& file_;
  std::string_view text_;
  std::size_t position_, released_ = 0;
  bool is_look_ahead_ = false, has_line_in_string_ = false;
};

// Steps to the value of `key` in an object, and over the rest of the object once it was read.
template <class ReadValue>
void read_member(Scanner& scanner, std::string_view key, const std::string& path,
                 ReadValue&& read_value) {
  if (scanner.peek() == '[')
    scanner.fail(
        fmt::format("it is a JSON array, and this format is an object whose \"{}\" is one", key));
  scanner.expect('{');
  bool found = false;
  std::string keys;
  while (scanner.peek() != '}') {
    if (scanner.peek() != '"') scanner.fail("a key is missing");
    const std::string_view name = scanner.skip_value();
    scanner.expect(':');
    keys += fmt::format("{}{}", keys.empty() ? "" : ", ", name);
    if (name == fmt::format("\"{}\"", key)) {
      read_value();
      found = true;
    } else {
      scanner.skip_value();
    }
    if (!scanner.take(',')) break;
  }
  scanner.expect('}');
  if (found) return;
  const bool is_lines = scanner.peek() == '{';
  throw UserError(fmt::format(
      "'{}' has no key \"{}\"; its keys: {}{}", path, key, keys,
      is_lines ? "; it is JSON lines, and this format is one object with all of them" : ""));
}

// An element and what is behind it; true if that is a comma.
bool read_element(Scanner& scanner, std::vector<JsonExtent>& elements) {
  const std::uint64_t begin = scanner.position();
  const JsonExtent element{begin, scanner.skip_value().size()};
  const bool goes_on = scanner.take(',');
  if (!goes_on && scanner.peek() != ']')
    scanner.fail(fmt::format("',' or ']' is missing behind element {}", elements.size()));
  elements.push_back(element);
  return goes_on;
}

// The elements of the array that begins here. Where brackets or quotation marks of one do not
// match, the next is found if each stands in a line of its own.
void read_array(Scanner& scanner, std::vector<JsonExtent>& elements) {
  // Each may take a look at all that follows.
  constexpr int kMostBrokenRows = 100;
  int num_broken = 0;
  const auto skip_broken_row = [&](std::size_t begin) {
    return ++num_broken > kMostBrokenRows ? std::nullopt : scanner.skip_broken_row(begin);
  };
  scanner.expect('[');
  while (scanner.peek() != ']') {
    const std::size_t begin = scanner.position();
    try {
      const bool goes_on = read_element(scanner, elements);
      // No string of JSON has a line end: it may have run into the next row.
      const auto row = scanner.has_line_in_string() ? skip_broken_row(begin) : std::nullopt;
      if (row)
        elements.back() = *row;
      else if (!goes_on)
        break;
    } catch (const UserError&) {
      const auto row = skip_broken_row(begin);
      if (!row) throw;
      elements.push_back(*row);
    }
  }
  scanner.expect(']');
}

// One in each line, whatever else the line is: a broken one costs itself alone.
void read_lines(Scanner& scanner, std::vector<JsonExtent>& elements) {
  while (!scanner.is_at_end()) {
    const std::uint64_t begin = scanner.position();
    elements.push_back({begin, Scanner::row_of(scanner.skip_line()).size()});
  }
}

void read_objects(Scanner& scanner, std::vector<JsonExtent>& elements) {
  while (!scanner.is_at_end()) {
    if (scanner.peek() != '{') scanner.fail("there is text behind the end of an object");
    const std::uint64_t begin = scanner.position();
    elements.push_back({begin, scanner.skip_value().size()});
    scanner.take(',');
  }
}

void read_arrays(Scanner& scanner, std::vector<JsonExtent>& elements) {
  do {
    if (!elements.empty() && scanner.peek() != '[') scanner.fail("there is text behind the end");
    read_array(scanner, elements);
  } while (!scanner.is_at_end());
}

void read_keyed(Scanner& scanner, std::string_view key, const std::string& path,
                std::vector<JsonExtent>& elements) {
  do {
    const std::size_t num_before = elements.size();
    read_member(scanner, key, path, [&] {
      elements.resize(num_before);
      read_array(scanner, elements);
    });
  } while (!scanner.is_at_end());
}

}  // namespace

std::vector<JsonExtent> find_elements(const AnnotationText& file, std::string_view key) {
  Scanner scanner(file);
  std::vector<JsonExtent> elements;
  if (!key.empty())
    read_keyed(scanner, key, file.path().string(), elements);
  else if (scanner.peek() != '{')
    read_arrays(scanner, elements);
  else if (scanner.has_object_per_line())
    read_lines(scanner, elements);
  else
    read_objects(scanner, elements);
  file.release_pages(0, file.text().size());
  return elements;
}

std::vector<JsonMember> find_members(const AnnotationText& file) {
  Scanner scanner(file);
  const auto read_extent = [&scanner] {
    scanner.peek();
    const std::uint64_t begin = scanner.position();
    return JsonExtent{begin, scanner.skip_value().size()};
  };
  std::vector<JsonMember> members;
  if (scanner.peek() != '{') scanner.fail("it must be an object");
  scanner.expect('{');
  while (scanner.peek() != '}') {
    if (scanner.peek() != '"') scanner.fail("a key is missing");
    const JsonExtent key = read_extent();
    scanner.expect(':');
    members.push_back({key, read_extent()});
    if (!scanner.take(',')) break;
  }
  scanner.expect('}');
  if (!scanner.is_at_end()) scanner.fail("there is text behind the end of the object");
  file.release_pages(0, file.text().size());
  return members;
}

}  // namespace vllama::tables
