#include "core/terminal_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <mutex>
#include <streambuf>

#include "core/utf8.h"

namespace vllama {
namespace {

constexpr std::string_view kLineEndMark = "\xE2\x8F\x8E";  // U+23CE

// The number of a character of one to three bytes; larger ones are not looked at.
unsigned number_of(std::string_view character) {
  const auto bits = [&](std::size_t i) { return static_cast<unsigned char>(character[i]) & 0x3FU; };
  if (character.size() == 1) return static_cast<unsigned char>(character[0]);
  if (character.size() == 2) return (bits(0) & 0x1F) << 6 | bits(1);
  return character.size() == 3 ? (bits(0) & 0xF) << 12 | bits(1) << 6 | bits(2) : 0xFFFFFF;
}

// Embedding, override and isolation of the direction of writing, and the marks for lines and
// paragraphs that some terminals break at.
bool turns_or_breaks(unsigned number) {
  return (number >= 0x2028 && number <= 0x202E) || (number >= 0x2066 && number <= 0x2069);
}

bool is_control(unsigned number) {
  return number < ' ' || (number >= 0x7F && number < 0xA0);
}

enum class Escapes { hexadecimal, json };

// The character or byte that `text` begins with, as it may be shown; takes it off.
std::string next_shown(std::string_view& text, Escapes escapes) {
  const std::size_t length = utf8_length(text);
  const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
  text.remove_prefix(character.size());
  if (length == 0) return fmt::format("\\x{:02x}", static_cast<unsigned char>(character[0]));
  const unsigned number = number_of(character);
  if (turns_or_breaks(number)) return fmt::format("\\u{:04x}", number);
  if (!is_control(number)) return std::string(character);
  // JSON never has the first of them as they are, and knows the others by this name alone.
  const bool is_json = escapes == Escapes::json && number >= ' ';
  return is_json ? fmt::format("\\u{:04x}", number) : fmt::format("\\x{:02x}", number);
}

}  // namespace

std::string visible(std::string_view text, bool has_unicode) {
  std::string result;
  while (!text.empty()) {
    if (text[0] == '\n') {
      result += has_unicode ? kLineEndMark : "\\n";
      text.remove_prefix(1);
    } else {
      result += next_shown(text, Escapes::hexadecimal);
    }
  }
  return result;
}

std::string printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    if (text[0] == '\n' || text[0] == '\t') {
      result += text[0];
      text.remove_prefix(1);
    } else {
      result += next_shown(text, Escapes::json);
    }
  }
  return result;
}

// Stands in the place of a stream's buffer and writes to it.
class PrintableStreams::Buffer : public std::streambuf {
 public:
  explicit Buffer(std::ostream& stream) : stream_(stream), target_(stream.rdbuf(this)) {}
  ~Buffer() override {
    write(printable(cut_));
    stream_.rdbuf(target_);
  }

 protected:
  int_type overflow(int_type character) override {
    if (traits_type::eq_int_type(character, traits_type::eof())) return 0;
    const char byte = traits_type::to_char_type(character);
    return xsputn(&byte, 1) == 1 ? character : traits_type::eof();
  }

  // Threads may write at once, as to the streams themselves.
  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    const std::lock_guard lock(mutex_);
    cut_.append(bytes, static_cast<std::size_t>(count));
    const std::string text = take_whole_characters();
    return write(printable(text)) ? count : 0;
  }

  int sync() override { return target_->pubsync(); }

 private:
  // All but a character at the end that lacks bytes, which the next call may bring.
  std::string take_whole_characters() {
    constexpr std::size_t kMostCutBytes = 3;
    std::size_t end = cut_.size();
    for (std::size_t i = 1; i <= std::min(kMostCutBytes, cut_.size()); ++i)
      if (is_cut_utf8(std::string_view(cut_).substr(cut_.size() - i))) end = cut_.size() - i;
    std::string text = cut_.substr(0, end);
    cut_.erase(0, end);
    return text;
  }

  bool write(const std::string& text) {
    const auto size = static_cast<std::streamsize>(text.size());
    return target_->sputn(text.data(), size) == size;
  }

  std::mutex mutex_;
  std::ostream& stream_;
  std::streambuf* target_;
  std::string cut_;
};

namespace {

std::ostream& raw_stream_of(std::ostream& usual) {
  // One for each stream, made when asked for first; without the door it is the stream's own buffer.
  static std::ostream output(std::cout.rdbuf()), error(std::cerr.rdbuf());
  return &usual == &std::cout ? output : error;
}

}  // namespace

PrintableStreams::PrintableStreams() {
  raw_output();
  raw_error();
  output_ = std::make_unique<Buffer>(std::cout);
  error_ = std::make_unique<Buffer>(std::cerr);
}

PrintableStreams::~PrintableStreams() = default;

std::ostream& raw_output() {
  return raw_stream_of(std::cout);
}

std::ostream& raw_error() {
  return raw_stream_of(std::cerr);
}

}  // namespace vllama
