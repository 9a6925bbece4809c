#include "text/tokenizers/json_parts.h"

#include <fmt/format.h>

namespace vllama::text {
namespace {

using Json = nlohmann::json;

std::string shown(const Json& value) {
  constexpr std::size_t kMostShown = 200;
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > kMostShown) text = text.substr(0, kMostShown) + "...";
  return text;
}

}  // namespace

const Json& member(const Json& object, const char* key) {
  static const Json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

std::string type_of(const Json& part) {
  const Json& type = member(part, "type");
  return type.is_string() ? type.get<std::string>() : std::string();
}

bool flag(const Json& part, const char* key) {
  const Json& value = member(part, key);
  return value.is_boolean() && value.get<bool>();
}

std::vector<Json> parts_of(const Json& part, const char* list) {
  if (part.is_null()) return {};
  if (type_of(part) != "Sequence") return {part};
  const Json& parts = member(part, list);
  return parts.is_array() ? parts.get<std::vector<Json>>() : std::vector<Json>{};
}

bool is_empty_text(const Json& value) {
  return value.is_string() && value.get_ref<const std::string&>().empty();
}

void refuse(const TokenizerJson& file, const std::string& where, const Json& value,
            const std::string& known) {
  file.fail(fmt::format("'{}' is {}, which is not known here: {}", where, shown(value), known));
}

}  // namespace vllama::text
