#include "config/path_text.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "core/error.h"

namespace vllama::config {
namespace {

bool begins_name(char c) {
  return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool continues_name(char c) {
  return begins_name(c) || (c >= '0' && c <= '9');
}

std::string value_of(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0')
    throw UserError(
        fmt::format("names the environment variable {}, which is {}: set it, or write "
                    "$$ where a dollar sign itself is meant",
                    name, value == nullptr ? "not set" : "empty"));
  return value;
}

// The name behind the "$" at `at`, which moves past it.
std::string name_behind(const std::string& text, std::size_t& at) {
  const bool in_braces = at + 1 < text.size() && text[at + 1] == '{';
  const std::size_t begin = at + (in_braces ? 2 : 1);
  std::size_t end = begin;
  if (begin < text.size() && begins_name(text[begin]))
    while (end < text.size() && continues_name(text[end])) ++end;
  const bool is_closed = !in_braces || (end < text.size() && text[end] == '}');
  if (end == begin || !is_closed)
    throw UserError(
        fmt::format("'{}' has a $ that begins no name of a variable, as $NAME or "
                    "${{NAME}} do: write $$ where a dollar sign itself is meant",
                    text));
  at = end + (in_braces ? 1 : 0);
  return text.substr(begin, end - begin);
}

}  // namespace

std::string expanded_path(const std::string& text) {
  std::string path;
  std::size_t at = 0;
  if (text.starts_with('~')) {
    if (text.size() > 1 && text[1] != '/')
      throw UserError(
          fmt::format("begins with '{}': write another user's folder in full, or ./~ "
                      "where a name itself begins so",
                      text.substr(0, text.find('/'))));
    path = value_of("HOME");
    at = 1;
  }
  while (at < text.size()) {
    if (text[at] != '$') {
      path += text[at++];
    } else if (at + 1 < text.size() && text[at + 1] == '$') {
      path += '$';
      at += 2;
    } else {
      path += value_of(name_behind(text, at));
    }
  }
  return path;
}

std::string path_text(const std::string& path) {
  std::string text = path.starts_with('~') ? "./" : "";
  for (const char c : path) text += c == '$' ? "$$" : std::string(1, c);
  return text;
}

}  // namespace vllama::config
