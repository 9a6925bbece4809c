#include "datasets/json_dataset.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "datasets/entry_error.h"

namespace vllama::datasets {

const nlohmann::json& member(const JsonElement& element, const char* key) {
  if (!element.value.is_object())
    throw UserError(
        fmt::format("{} must be an object, not {}", element.place, element.value.type_name()));
  const auto found = element.value.find(key);
  if (found != element.value.end()) return *found;
  std::string keys;
  for (const auto& [name, value] : element.value.items())
    keys += fmt::format("{}{}", keys.empty() ? "" : ", ", name);
  throw UserError(fmt::format("{} has no key '{}'; its keys: {}", element.place, key, keys));
}

std::string text_member(const JsonElement& element, const char* key) {
  const nlohmann::json& value = member(element, key);
  if (value.is_null()) return {};
  if (value.is_number_integer()) return value.dump();
  if (value.is_string()) return value.get<std::string>();
  throw UserError(
      fmt::format("{}: '{}' must be text, not {}", element.place, key, value.type_name()));
}

JsonDataset::JsonDataset(const std::filesystem::path& path, JsonFormat format)
    : elements_(path, format.key), format_(std::move(format)) {
  constexpr std::int64_t kElementsBetweenReleases = 4096;
  EntryCheck check(format_.ids, entries_);
  for (std::int64_t i = 0; i < elements_.size(); ++i) {
    const ParsedJson parsed = elements_.element(i);
    const JsonElement element{parsed.value, elements_.place(i)};
    if (check.accept(element.place, [&] { return format_.read(element); })) {
      valid_.push_back(i);
      check.note_repeated_key(element.place, parsed.repeated_key);
    }
    if ((i + 1) % kElementsBetweenReleases == 0)
      elements_.release(i + 1 - kElementsBetweenReleases, i);
  }
  if (valid_.empty())
    throw UserError(fmt::format("'{}' has no valid entry{}{}", path.string(),
                                invalid().total() > 0 ? ": " : "", invalid().summary()));
}

Record JsonDataset::record(std::int64_t index) const {
  VLLAMA_ASSERT(index >= 0 && index < size(), "record index out of range");
  const std::int64_t element = valid_[static_cast<std::size_t>(index)];
  const ParsedJson parsed = elements_.element(element);
  elements_.release(element, element);
  try {
    Record record = format_.read({parsed.value, elements_.place(element)});
    if (format_.find_media) format_.find_media(record);
    return record;
  } catch (const EntryError& error) {
    throw RunFailure(
        fmt::format("{} changed while it was in use: {}", elements_.place(element), error.reason));
  }
}

}  // namespace vllama::datasets
