#include "train/safe_text.h"

#include <fmt/format.h>

namespace vllama::train {
namespace {

constexpr std::string_view kLineEnd = "\xE2\x8F\x8E";  // U+23CE

}  // namespace

std::string visible(std::string_view text, bool has_unicode) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (byte == '\n') {
      result += has_unicode ? kLineEnd : "\\n";
    } else if (byte < ' ' || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {  // U+0080 to U+009F
      result += fmt::format("\\x{:02x}", next);
      ++i;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace vllama::train
