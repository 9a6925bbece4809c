// The little Unicode knowledge that text processing needs, with Python's definitions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vllama::text {

// Python's str.lower(): full case mapping without a language; bytes that are not UTF-8 become
// U+FFFD.
std::string lower_case(std::string_view text);

// The length in bytes of the white-space character (Python's str.isspace()) at the beginning or end
// of a text, 0 if there is none.
std::size_t leading_space_bytes(std::string_view text);
std::size_t trailing_space_bytes(std::string_view text);

}  // namespace vllama::text
