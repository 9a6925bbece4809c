// Words of a text, as Python's str methods see them for ASCII letters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vllama::eval {

// Splits at runs of white space: the ASCII characters 9 to 13, 28 to 32, and the no-break and other
// spaces of Unicode. No word is empty.
std::vector<std::string> split_words(std::string_view text);
// Without white space at both ends.
std::string stripped(std::string_view text);
// A-Z become a-z; every other byte stays.
std::string lower_ascii(std::string_view text);
std::string joined(const std::vector<std::string>& words);

}  // namespace vllama::eval
