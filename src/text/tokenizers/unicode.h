// The little Unicode knowledge that text processing needs, with Python's definitions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vllama::text {

// Python's str.lower(): full case mapping without a language. Bytes that are not UTF-8 stay.
std::string lower_case(std::string_view text);

// The length in bytes of the white-space character (Python's str.isspace()) at the beginning of a
// text, 0 if there is none.
std::size_t leading_space_bytes(std::string_view text);

// A text without the white space at its beginning or end.
std::string_view strip_left(std::string_view text);
std::string_view strip_right(std::string_view text);

}  // namespace vllama::text
