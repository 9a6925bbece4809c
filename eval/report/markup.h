// Texts of any origin as they stand in a page.
#pragma once

#include <string>
#include <string_view>

namespace vllama::eval {

// Text that stands for itself in HTML and SVG, between tags and in quoted attributes; bytes that
// are not UTF-8 become U+FFFD.
std::string markup_escaped(std::string_view text);

// Isolated from the text around it, so that its direction of writing changes nothing else.
std::string isolated(std::string_view text);

}  // namespace vllama::eval
