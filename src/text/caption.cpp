#include "text/caption.h"

#include <algorithm>

#include "text/tokenizers/unicode.h"

namespace vllama::text {
namespace {

constexpr std::string_view kPunctuation = ".!\"()*#:;~";

// Two or more white-space characters in a row become one space; a single one stays as it is.
std::string collapse_spaces(std::string_view text) {
  std::string collapsed;
  while (!text.empty()) {
    const std::size_t first = leading_space_bytes(text);
    std::size_t run = first;
    while (const std::size_t next = leading_space_bytes(text.substr(run))) run += next;
    if (run > first)
      collapsed += ' ';
    else
      collapsed += text.substr(0, run = std::max<std::size_t>(first, 1));
    text.remove_prefix(run);
  }
  return collapsed;
}

std::string_view strip_newlines_then_spaces(std::string_view text) {
  text = text.substr(0, text.find_last_not_of('\n') + 1);
  text = text.substr(0, text.find_last_not_of(' ') + 1);
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

std::string_view first_words(std::string_view text, std::int64_t max_words) {
  std::size_t end = 0;
  for (std::int64_t word = 0; word < max_words; ++word) {
    end = text.find(' ', word == 0 ? 0 : end + 1);
    if (end == std::string_view::npos) return text;
  }
  return text.substr(0, end);
}

}  // namespace

std::string CaptionCleaner::operator()(std::string_view caption) const {
  std::string text = lower_case(caption);
  std::replace_if(
      text.begin(), text.end(),
      [](char character) { return kPunctuation.find(character) != std::string_view::npos; }, ' ');
  text = collapse_spaces(text);
  return prompt + std::string(first_words(strip_newlines_then_spaces(text), max_words));
}

}  // namespace vllama::text
