// ASCII text as UTF-16, as Windows programs write it.
#pragma once

#include <string>
#include <string_view>

namespace vllama::test {

enum class Bytes { little_first, big_first };

inline std::string utf16_text(std::string_view ascii, Bytes order, bool has_mark = true) {
  std::string text;
  const auto add = [&](unsigned unit) {
    const char low = static_cast<char>(unit & 0xFF), high = static_cast<char>(unit >> 8);
    text += order == Bytes::little_first ? low : high;
    text += order == Bytes::little_first ? high : low;
  };
  if (has_mark) add(0xFEFF);
  for (const char letter : ascii) add(static_cast<unsigned char>(letter));
  return text;
}

}  // namespace vllama::test
