// The characters that a byte-level vocabulary writes bytes with: GPT-2's table. Bytes that print
// are themselves, the other 68 are U+0100 and following.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vllama::text {

// The character of a byte, as UTF-8.
const std::array<std::string, 256>& byte_characters();

// The bytes that a piece stands for; nothing if it holds a character that stands for none.
std::optional<std::string> bytes_of_piece(std::string_view piece);

}  // namespace vllama::text
