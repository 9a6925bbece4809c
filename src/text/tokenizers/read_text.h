// A text as a vocabulary reads it: in UTF-8, and in NFC if the vocabulary wants that.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vllama::text {

class ReadText {
 public:
  // What is not UTF-8 becomes U+FFFD, a byte each. `text` outlives the object, which copies nothing
  // of a text that is as it should be.
  ReadText(std::string_view text, bool in_nfc);
  ReadText(const ReadText&) = delete;  // text() points into it
  ReadText& operator=(const ReadText&) = delete;

  std::string_view text() const { return text_; }
  // Where a byte of text(), or its end, stands in the original: of a byte within a character, where
  // the character begins.
  std::size_t place_of(std::size_t byte) const;

 private:
  // A text that was changed, with the place of each of its bytes, and of the end, in what it was.
  struct PlacedText {
    std::string text;
    std::vector<std::size_t> places;
  };
  static PlacedText readable(std::string_view text);
  static PlacedText composed(std::string_view text);

  std::string_view text_;
  PlacedText readable_, composed_;  // empty where nothing had to be changed
};

}  // namespace vllama::text
