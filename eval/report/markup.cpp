#include "eval/report/markup.h"

#include <nlohmann/json.hpp>

namespace vllama::eval {

using nlohmann::json;

std::string markup_escaped(std::string_view text) {
  // Through JSON and back: what is not UTF-8 is replaced on the way.
  const std::string valid =
      json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace))
          .get<std::string>();
  std::string result;
  for (const char character : valid) {
    switch (character) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += character;
    }
  }
  return result;
}

std::string isolated(std::string_view text) {
  return "<bdi>" + markup_escaped(text) + "</bdi>";
}

}  // namespace vllama::eval
