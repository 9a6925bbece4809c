#include "text/tokenizers/end_tokens.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/files.h"
#include "core/json_depth.h"
#include "text/tokenizers/json_parts.h"

namespace vllama::text {
namespace {

using Json = nlohmann::json;

// A JSON file beside the vocabulary; null if there is none.
Json file_beside(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return {};
  const std::string text = read_file(path);
  if (is_nested_too_deep(text))
    throw UserError(fmt::format("'{}' is nested too deep", path.string()));
  Json value = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) throw UserError(fmt::format("'{}' is not a JSON object", path.string()));
  return value;
}

std::vector<std::int64_t> ids_in(const Json& value, std::int64_t num_tokens) {
  std::vector<std::int64_t> ids;
  const auto add = [&](const Json& entry) {
    const std::int64_t id = entry.is_number_integer() ? entry.get<std::int64_t>() : -1;
    if (id >= 0 && id < num_tokens && std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
  };
  if (value.is_array())
    for (const Json& id : value) add(id);
  else
    add(value);
  return ids;
}

// A text, or an object with the text as "content", as tokenizer_config.json has both.
std::optional<std::string> token_text(const Json& value) {
  const Json& content = value.is_object() ? member(value, "content") : value;
  return content.is_string() ? std::optional(content.get<std::string>()) : std::nullopt;
}

}  // namespace

std::vector<std::int64_t> end_ids(const std::filesystem::path& folder, std::int64_t num_tokens) {
  std::vector<std::int64_t> ids;
  for (const char* name : {"generation_config.json", "config.json"})
    if (ids.empty()) ids = ids_in(member(file_beside(folder / name), "eos_token_id"), num_tokens);
  return ids;
}

std::optional<std::string> end_text(const std::filesystem::path& folder) {
  return token_text(member(file_beside(folder / "tokenizer_config.json"), "eos_token"));
}

}  // namespace vllama::text
