// Texts and bytes of any origin as parts of HTML and SVG.
#pragma once

#include <string>
#include <string_view>

namespace vllama {

// Text that stands for itself, between tags and in quoted attributes.
std::string markup_escaped(std::string_view text);

// RFC 4648, with padding, for data URIs.
std::string base64(std::string_view bytes);

}  // namespace vllama
