#include "core/utf8.h"

namespace vllama {
namespace {

unsigned char byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// How many bytes a character with this first byte has, 0 if none begins so.
std::size_t length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

// Whether the bytes behind the first, as many as there are, may stand there.
bool may_continue(std::string_view text, std::size_t length) {
  for (std::size_t i = 1; i < length && i < text.size(); ++i)
    if ((byte_at(text, i) & 0xC0) != 0x80) return false;
  if (text.size() < 2 || length < 2) return true;
  const unsigned char lead = byte_at(text, 0), second = byte_at(text, 1);
  // Too long spellings, halves of surrogate pairs, and numbers beyond U+10FFFF.
  return !(lead == 0xE0 && second < 0xA0) && !(lead == 0xED && second > 0x9F) &&
         !(lead == 0xF0 && second < 0x90) && !(lead == 0xF4 && second > 0x8F);
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  const std::size_t length = text.empty() ? 0 : length_of(byte_at(text, 0));
  return length <= text.size() && may_continue(text, length) ? length : 0;
}

bool is_cut_utf8(std::string_view text) {
  const std::size_t length = text.empty() ? 0 : length_of(byte_at(text, 0));
  return text.size() < length && may_continue(text, length);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void append_utf8(std::string& text, std::uint32_t character) {
  const auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  const auto add_rest = [&](int num_bytes) {
    for (int i = num_bytes - 1; i >= 0; --i) add(0x80 | ((character >> (6 * i)) & 0x3F));
  };
  if (character < 0x80) {
    add(character);
  } else if (character < 0x800) {
    add(0xC0 | (character >> 6));
    add_rest(1);
  } else if (character < 0x10000) {
    add(0xE0 | (character >> 12));
    add_rest(2);
  } else {
    add(0xF0 | (character >> 18));
    add_rest(3);
  }
}

}  // namespace vllama
