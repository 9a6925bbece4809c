// Text in lines that fit a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vllama {

// What help is laid out for, whatever the terminal: that of a plain one.
inline constexpr std::size_t kHelpColumns = 80;

// `text` in lines of at most `columns` characters, broken at spaces, each after `indent` spaces and
// with a line end. Line ends of the text stay. A word that is longer than a line has one for
// itself.
std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent = 0);

}  // namespace vllama
