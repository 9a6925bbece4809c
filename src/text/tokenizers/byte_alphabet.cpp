#include "text/tokenizers/byte_alphabet.h"

#include <unicode/utf8.h>

#include "core/utf8.h"

namespace vllama::text {
namespace {

bool prints(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr UChar32 kFirstOther = 0x100;
constexpr UChar32 kNumCharacters = kFirstOther + 68;

// The byte of a character, -1 for one that stands for none.
std::array<int, kNumCharacters> bytes_by_character() {
  std::array<int, kNumCharacters> bytes;
  bytes.fill(-1);
  UChar32 next = kFirstOther;
  for (int byte = 0; byte < 256; ++byte)
    bytes[static_cast<std::size_t>(prints(byte) ? byte : next++)] = byte;
  return bytes;
}

const std::array<int, kNumCharacters>& byte_table() {
  static const auto table = bytes_by_character();
  return table;
}

}  // namespace

const std::array<std::string, 256>& byte_characters() {
  static const auto characters = [] {
    std::array<std::string, 256> result;
    for (UChar32 character = 0; character < kNumCharacters; ++character)
      if (const int byte = byte_table()[static_cast<std::size_t>(character)]; byte >= 0)
        append_utf8(result[static_cast<std::size_t>(byte)], static_cast<std::uint32_t>(character));
    return result;
  }();
  return characters;
}

std::optional<std::string> bytes_of_piece(std::string_view piece) {
  std::string bytes;
  const auto length = static_cast<std::int32_t>(piece.size());
  for (std::int32_t at = 0; at < length;) {
    UChar32 character;
    U8_NEXT(piece.data(), at, length, character);
    const int byte = character < 0 || character >= kNumCharacters
                         ? -1
                         : byte_table()[static_cast<std::size_t>(character)];
    if (byte < 0) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace vllama::text
