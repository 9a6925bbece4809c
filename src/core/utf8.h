// Which bytes are UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vllama {

// U+FFFD, which stands for what is no character.
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

// The number of bytes of the well-formed character that `text` begins with, 0 if it begins with
// none: other bytes, too long spellings, halves of surrogate pairs, numbers beyond U+10FFFF.
std::size_t utf8_length(std::string_view text);

// True if `text` is the beginning of a well-formed character that lacks its last bytes.
bool is_cut_utf8(std::string_view text);

// True if every byte belongs to well-formed UTF-8.
bool is_utf8(std::string_view text);

// Appends the character of that number. Half of a surrogate pair becomes three bytes that are not
// well-formed.
void append_utf8(std::string& text, std::uint32_t character);

}  // namespace vllama
