#include "datasets/json_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "datasets/entry_error.h"
#include "datasets/json_array.h"
#include "datasets/mapped_text.h"
#include "text/error.h"

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

JsonDataset::JsonDataset(const std::filesystem::path& path, JsonFormat format,
                         const IndexFolder& indexes)
    : file_(MappedFile::open(path)),
      format_(std::move(format)),
      index_(
          open_index(indexes, {"json " + format_.reader, {path}}, [this] { return make_index(); })),
      places_(index_.array<Place>("places")),
      entries_(index_.tallies()) {
  if (places_.empty())
    throw UserError(fmt::format("'{}' has no valid entry{}{}", path.string(),
                                invalid().total() > 0 ? ": " : "", invalid().summary()));
}

IndexContent JsonDataset::make_index() const {
  constexpr std::uint64_t kElementsBetweenReleases = 4096;
  std::vector<Place> places;
  EntryTallies entries;
  EntryCheck check(format_.ids, entries);
  std::optional<Place> first_unreleased;
  std::uint64_t number = 0;
  for (const JsonExtent& extent : find_elements(*file_, format_.key)) {
    const Place place{extent.begin, extent.length, number++};
    const ParsedJson parsed = parse(place);
    const JsonElement element{parsed.value, place_text(place)};
    if (check.accept(element.place, [&] { return format_.read(element); })) {
      places.push_back(place);
      check.note_repeated_key(element.place, parsed.repeated_key);
    }
    if (!first_unreleased) first_unreleased = place;
    if (number % kElementsBetweenReleases == 0) {
      release(*first_unreleased, place);
      first_unreleased.reset();
    }
  }
  IndexContent content;
  content.add("places", std::move(places));
  content.add(entries);
  return content;
}

ParsedJson JsonDataset::parse(const Place& place) const {
  const std::string_view text = file_->text();
  try {
    return parse_json(text.substr(std::min<std::size_t>(place.begin, text.size()), place.length));
  } catch (const nlohmann::json::exception& error) {
    throw UserError(fmt::format("{} is not valid JSON: {}", place_text(place), error.what()));
  }
}

std::string JsonDataset::place_text(const Place& place) const {
  return fmt::format("{}, element {} (byte {})", file_->path().string(), place.element,
                     place.begin);
}

void JsonDataset::release(const Place& first, const Place& last) const {
  const std::size_t window = first.begin / kAccessWindowBytes * kAccessWindowBytes;
  file_->release_pages(window, last.begin + last.length - window + kAccessWindowBytes);
}

Record JsonDataset::record(std::int64_t index) const {
  VLLAMA_ASSERT(index >= 0 && index < size(), "record index out of range");
  const Place& place = places_[static_cast<std::size_t>(index)];
  const ParsedJson parsed = parse(place);
  release(place, place);
  const auto changed = [&](std::string_view reason) {
    return RunFailure(fmt::format("{} changed while it was in use: {}", place_text(place), reason));
  };
  try {
    Record record = format_.read({parsed.value, place_text(place)});
    if (format_.find_media) format_.find_media(record);
    return record;
  } catch (const EntryError& error) {
    throw changed(error.reason);
  } catch (const text::TextError& error) {
    throw changed(text::failure_name(error.reason));
  }
}

}  // namespace vllama::datasets
