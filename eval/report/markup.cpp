#include "eval/report/markup.h"

#include <nlohmann/json.hpp>

#include "core/markup.h"

namespace vllama::eval {

using nlohmann::json;

std::string markup_escaped(std::string_view text) {
  // Through JSON and back: what is not UTF-8 is replaced on the way.
  const std::string valid =
      json::parse(json(text).dump(-1, ' ', false, json::error_handler_t::replace))
          .get<std::string>();
  return vllama::markup_escaped(valid);
}

std::string isolated(std::string_view text) {
  return "<bdi>" + markup_escaped(text) + "</bdi>";
}

}  // namespace vllama::eval
