// How deep JSON from outside may be nested.
#pragma once

#include <string_view>

namespace vllama {

inline constexpr int kMaxJsonDepth = 64;

// True if more than kMaxJsonDepth objects and arrays are open at once somewhere in the text, be it
// JSON or not. Copying, comparing and writing a value goes down the stack as deep as the value is
// nested, and a stack that is used up ends the process; so readers refuse such a text before it
// becomes a value.
bool is_nested_too_deep(std::string_view json);

}  // namespace vllama
