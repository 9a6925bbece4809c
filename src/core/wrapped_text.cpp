#include "core/wrapped_text.h"

#include <algorithm>

namespace vllama {
namespace {

// One line of the text, without its end.
void wrap_line(std::string_view line, std::size_t columns, std::size_t indent, std::string& out) {
  std::size_t used = 0;  // columns of the line under way; 0: none is
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.empty()) break;
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    if (used > 0 && used + 1 + word.size() <= columns) {
      out += ' ';
      used += 1 + word.size();
    } else {
      if (used > 0) out += '\n';
      out.append(indent, ' ');
      used = indent + word.size();
    }
    out += word;
  }
  out += '\n';
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t columns, std::size_t indent) {
  std::string out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    wrap_line(line, columns, indent, out);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return out;
}

}  // namespace vllama
