#include "tables/json_text.h"

#include <algorithm>
#include <vector>

#include "core/json_depth.h"
#include "tables/entry_error.h"

namespace vllama::tables {

ParsedJson parse_json(std::string_view text) {
  using nlohmann::json;
  using Event = json::parse_event_t;
  if (is_nested_too_deep(text))
    throw json::other_error::create(
        501, "nested more than " + std::to_string(kMaxJsonDepth) + " deep", nullptr);
  ParsedJson parsed;
  // The keys of the objects that are open, and where those of each object begin. They are compared
  // when it ends, so that many keys take n log n of time.
  std::vector<std::string> keys;
  std::vector<std::size_t> begins;
  const auto watch = [&](int, Event event, const json& value) {
    if (event == Event::object_start) {
      begins.push_back(keys.size());
    } else if (event == Event::key) {
      keys.push_back(value.get_ref<const std::string&>());
    } else if (event == Event::object_end) {
      const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(begins.back());
      std::sort(begin, keys.end());
      const auto twice = std::adjacent_find(begin, keys.end());
      if (twice != keys.end()) parsed.repeated_key = *twice;
      keys.erase(begin, keys.end());
      begins.pop_back();
    }
    return true;
  };
  parsed.value = json::parse(text, watch);
  return parsed;
}

ParsedJson parse_entry(std::string_view text) {
  try {
    return parse_json(text);
  } catch (const nlohmann::json::exception& error) {
    throw EntryError("not_json", error.what());
  }
}

}  // namespace vllama::tables
