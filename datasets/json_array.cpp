#include "datasets/json_array.h"

#include <fmt/format.h>

#include <string>

#include "core/error.h"
#include "datasets/mapped_text.h"

namespace vllama::datasets {
namespace {

// Steps over JSON values without looking into them; frees the pages behind it.
class Scanner {
 public:
  explicit Scanner(const MappedFile& file) : file_(file), text_(file.text()) {
    if (text_.starts_with("\xEF\xBB\xBF")) position_ = 3;
  }

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

  void expect_end() {
    if (peek() != '\0' || position_ < text_.size()) fail("there is text behind the end");
  }

  std::string_view skip_value() {
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
    if (position_ - released_ < kScanWindowBytes) return;
    file_.release_pages(released_, position_ - released_);
    released_ = position_ / kAccessWindowBytes * kAccessWindowBytes;
  }

  const MappedFile& file_;
  std::string_view text_;
  std::size_t position_ = 0, released_ = 0;
};

// Steps to the value of `key` in an object, and over the rest of the object once it was read.
template <class ReadValue>
void read_member(Scanner& scanner, std::string_view key, const std::string& path,
                 ReadValue&& read_value) {
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
  if (!found) throw UserError(fmt::format("'{}' has no key \"{}\"; its keys: {}", path, key, keys));
}

}  // namespace

std::vector<JsonExtent> find_elements(const MappedFile& file, std::string_view key) {
  Scanner scanner(file);
  std::vector<JsonExtent> elements;
  const auto read_elements = [&] {
    elements.clear();
    scanner.expect('[');
    while (scanner.peek() != ']') {
      scanner.peek();
      const std::uint64_t begin = scanner.position();
      elements.push_back({begin, scanner.skip_value().size()});
      if (!scanner.take(',')) break;
    }
    scanner.expect(']');
  };
  if (key.empty())
    read_elements();
  else
    read_member(scanner, key, file.path().string(), read_elements);
  scanner.expect_end();
  file.release_pages(0, file.text().size());
  return elements;
}

}  // namespace vllama::datasets
