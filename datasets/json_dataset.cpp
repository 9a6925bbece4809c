#include "datasets/json_dataset.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"

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

JsonDataset::JsonDataset(const std::filesystem::path& path, std::string_view key, Reader reader)
    : elements_(path, key), reader_(std::move(reader)) {
  constexpr std::int64_t kElementsBetweenReleases = 4096;
  for (std::int64_t i = 0; i < elements_.size(); ++i) {
    const auto result = read(i);
    if (const auto* invalid = std::get_if<Invalid>(&result))
      invalid_.add(invalid->reason, elements_.place(i));
    else
      valid_.push_back(i);
    if ((i + 1) % kElementsBetweenReleases == 0)
      elements_.release(i + 1 - kElementsBetweenReleases, i);
  }
  if (valid_.empty())
    throw UserError(fmt::format("'{}' has no valid entry{}{}", path.string(),
                                invalid_.total() > 0 ? ": " : "", invalid_.summary()));
}

std::variant<Record, JsonDataset::Invalid> JsonDataset::read(std::int64_t element) const {
  return reader_({elements_.element(element), elements_.place(element)});
}

Record JsonDataset::record(std::int64_t index) const {
  VLLAMA_ASSERT(index >= 0 && index < size(), "record index out of range");
  const std::int64_t element = valid_[static_cast<std::size_t>(index)];
  auto result = read(element);
  elements_.release(element, element);
  if (auto* record = std::get_if<Record>(&result)) return std::move(*record);
  throw RunFailure(fmt::format("{} changed while it was in use", elements_.place(element)));
}

}  // namespace vllama::datasets
