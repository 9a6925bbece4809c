// Clean-up of captions from the web.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vllama::text {

struct CaptionCleaner {
  std::int64_t max_words = 50;
  std::string prompt = {};  // put before the cleaned caption

  // Lower case (as Python's str.lower()); each of . ! " ( ) * # : ; ~ becomes a space; two or more
  // white-space characters in a row become one space; newlines at the end, then spaces at both ends
  // go; the first max_words space-separated words stay.
  std::string operator()(std::string_view caption) const;
};

}  // namespace vllama::text
