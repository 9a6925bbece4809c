// Text from files made safe to print.
#pragma once

#include <string>
#include <string_view>

namespace vllama::weights {

// True for well-formed UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

// The text with control characters and bytes that are not UTF-8 written as \xNN, shortened to
// about 200 bytes: nothing in a file can steer the terminal or flood the log.
std::string readable(std::string_view text);

}  // namespace vllama::weights
