#include "eval/scores/words.h"

#include <array>

namespace vllama::eval {
namespace {

// U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000 in UTF-8.
constexpr std::array<std::string_view, 19> kUnicodeSpaces = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
    "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
    "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

// Bytes of the white-space character that `text` begins with; 0 if it begins with another.
std::size_t space_size(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text.front());
  if ((byte >= 9 && byte <= 13) || (byte >= 28 && byte <= 32)) return 1;
  if (byte < 0x80) return 0;
  for (const std::string_view space : kUnicodeSpaces)
    if (text.starts_with(space)) return space.size();
  return 0;
}

}  // namespace

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  while (!text.empty()) {
    const std::size_t space = space_size(text);
    if (space == 0) {
      if (!in_word) words.emplace_back();
      words.back() += text.front();
    }
    in_word = space == 0;
    text.remove_prefix(space == 0 ? 1 : space);
  }
  return words;
}

std::string stripped(std::string_view text) {
  while (!text.empty() && space_size(text) > 0) text.remove_prefix(space_size(text));
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t space = space_size(text.substr(i));
    i += space == 0 ? 1 : space;
    if (space == 0) end = i;
  }
  return std::string(text.substr(0, end));
}

std::string lower_ascii(std::string_view text) {
  std::string result(text);
  for (char& character : result)
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character + 32);
  return result;
}

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : " ") + word;
  return result;
}

}  // namespace vllama::eval
