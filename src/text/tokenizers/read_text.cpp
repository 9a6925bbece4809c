#include "text/tokenizers/read_text.h"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uniset.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "core/error.h"
#include "core/utf8.h"

namespace vllama::text {
namespace {

// The beginning of the character that a place lies in.
std::size_t character_begin(std::string_view text, std::size_t place) {
  while (place > 0 && place < text.size() &&
         (static_cast<unsigned char>(text[place]) & 0xC0) == 0x80)
    --place;
  return place;
}

// Of Unicode 9, whose tables the library `tokenizers` has: characters that came later are as they
// are, and so are two that got their class later.
const icu::Normalizer2& nfc() {
  static const auto normalizer = [] {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* newest = icu::Normalizer2::getNFCInstance(status);
    static const icu::UnicodeSet known(u"[[:age=9.0:]-[\\u0EBA\\u1715]]", status);
    if (U_FAILURE(status)) throw InternalError(fmt::format("ICU: {}", u_errorName(status)));
    return std::make_unique<icu::FilteredNormalizer2>(*newest, known);
  }();
  return *normalizer;
}

icu::StringPiece piece_of(std::string_view text) {
  VLLAMA_ASSERT(text.size() <= std::numeric_limits<std::int32_t>::max(), "a text of over 2 GB");
  return {text.data(), static_cast<std::int32_t>(text.size())};
}

bool is_in_nfc(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  return nfc().isNormalizedUTF8(piece_of(text), status) && U_SUCCESS(status);
}

}  // namespace

ReadText::ReadText(std::string_view text, bool in_nfc) : text_(text) {
  if (!is_utf8(text_)) {
    readable_ = readable(text_);
    text_ = readable_.text;
  }
  if (in_nfc && !is_in_nfc(text_)) {
    composed_ = composed(text_);
    text_ = composed_.text;
  }
}

std::size_t ReadText::place_of(std::size_t byte) const {
  std::size_t place = character_begin(text_, byte);
  if (!composed_.places.empty()) place = composed_.places[place];
  if (!readable_.places.empty()) place = readable_.places[place];
  return place;
}

ReadText::PlacedText ReadText::readable(std::string_view text) {
  PlacedText result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    const std::string_view character = length > 0 ? text.substr(at, length) : kReplacementCharacter;
    for (std::size_t i = 0; i < character.size(); ++i)
      result.places.push_back(length > 0 ? at + i : at);
    result.text += character;
    at += std::max<std::size_t>(length, 1);
  }
  result.places.push_back(text.size());
  return result;
}

ReadText::PlacedText ReadText::composed(std::string_view text) {
  PlacedText result;
  icu::StringByteSink<std::string> sink(&result.text);
  icu::Edits edits;
  UErrorCode status = U_ZERO_ERROR;
  nfc().normalizeUTF8(0, piece_of(text), sink, &edits, status);
  if (U_FAILURE(status)) throw InternalError(fmt::format("ICU: {}", u_errorName(status)));
  auto changes = edits.getFineIterator();
  for (std::size_t i = 0; i <= result.text.size(); ++i)
    result.places.push_back(static_cast<std::size_t>(
        changes.sourceIndexFromDestinationIndex(static_cast<std::int32_t>(i), status)));
  return result;
}

}  // namespace vllama::text
