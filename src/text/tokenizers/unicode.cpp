#include "text/tokenizers/unicode.h"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/error.h"

namespace vllama::text {
namespace {

// Python: bidirectional class WS, B or S, or category Zs.
bool is_space(UChar32 character) {
  if (character <= 0x20) return (character >= 0x09 && character <= 0x0d) || character >= 0x1c;
  switch (character) {
    case 0x85:
    case 0xa0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202f:
    case 0x205f:
    case 0x3000:
      return true;
    default:
      return character >= 0x2000 && character <= 0x200a;
  }
}

std::size_t trailing_space_bytes(std::string_view text) {
  const std::string_view window =
      text.substr(text.size() - std::min<std::size_t>(text.size(), U8_MAX_LENGTH));
  const auto length = static_cast<std::int32_t>(window.size());
  std::int32_t begin = length;
  UChar32 character = -1;
  if (length > 0) U8_PREV(window.data(), 0, begin, character);
  return character >= 0 && is_space(character) ? static_cast<std::size_t>(length - begin) : 0;
}

}  // namespace

std::string lower_case(std::string_view text) {
  VLLAMA_ASSERT(text.size() <= std::numeric_limits<std::int32_t>::max(), "a text of over 2 GB");
  std::string lowered;
  icu::StringByteSink<std::string> sink(&lowered);
  UErrorCode status = U_ZERO_ERROR;
  icu::CaseMap::utf8ToLower("", 0, {text.data(), static_cast<int32_t>(text.size())}, sink, nullptr,
                            status);
  if (U_FAILURE(status)) throw InternalError(fmt::format("ICU: {}", u_errorName(status)));
  return lowered;
}

std::size_t leading_space_bytes(std::string_view text) {
  const std::string_view window = text.substr(0, U8_MAX_LENGTH);
  const auto length = static_cast<std::int32_t>(window.size());
  std::int32_t end = 0;
  UChar32 character = -1;
  if (length > 0) U8_NEXT(window.data(), end, length, character);
  return character >= 0 && is_space(character) ? static_cast<std::size_t>(end) : 0;
}

std::string_view strip_left(std::string_view text) {
  while (const std::size_t space = leading_space_bytes(text)) text.remove_prefix(space);
  return text;
}

std::string_view strip_right(std::string_view text) {
  while (const std::size_t space = trailing_space_bytes(text)) text.remove_suffix(space);
  return text;
}

}  // namespace vllama::text
