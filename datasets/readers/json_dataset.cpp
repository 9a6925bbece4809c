#include "datasets/readers/json_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "datasets/entries/format_hint.h"
#include "tables/entry_error.h"
#include "tables/json_array.h"
#include "tables/mapped_text.h"
#include "text/error.h"

namespace vllama::datasets {

namespace {

// Counts the lines of a text on the way through it.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}

  // The number, from 1, of the line that a byte stands in, which is behind that of the last call.
  std::int64_t line_at(std::size_t byte) {
    line_ += std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                        text_.begin() + static_cast<std::ptrdiff_t>(byte), '\n');
    counted_ = byte;
    return line_;
  }

 private:
  std::string_view text_;
  std::size_t counted_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

JsonDataset::JsonDataset(const std::filesystem::path& path, JsonFormat format,
                         const IndexFolder& indexes)
    : text_(path),
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
  tables::EntryTallies entries;
  EntryCheck check(format_.ids, entries);
  const std::string_view format =
      std::string_view(format_.reader).substr(0, format_.reader.find(' '));
  LineCounter lines(text_.text());
  std::optional<Place> first_unreleased;
  std::uint64_t number = 0;
  for (const tables::JsonExtent& extent : tables::find_elements(text_, format_.key)) {
    const Place place{extent.begin, extent.length, number++};
    const std::string where = place_text(place, lines.line_at(extent.begin));
    tables::ParsedJson parsed;
    const bool is_valid = check.accept(where, [&] {
      parsed = parse(place);
      return read_or_name_format(parsed.value, format, [&] { return format_.read(parsed.value); });
    });
    if (is_valid) {
      places.push_back(place);
      check.note_repeated_key(where, parsed.repeated_key);
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

tables::ParsedJson JsonDataset::parse(const Place& place) const {
  const std::string_view text = text_.text();
  return tables::parse_entry(
      text.substr(std::min<std::size_t>(place.begin, text.size()), place.length));
}

std::string JsonDataset::place_text(const Place& place, std::int64_t line) const {
  return fmt::format("{}, element {} (line {}, byte {})", text_.path().string(), place.element,
                     line, place.begin);
}

void JsonDataset::release(const Place& first, const Place& last) const {
  const std::size_t window = first.begin / tables::kAccessWindowBytes * tables::kAccessWindowBytes;
  text_.release_pages(window, last.begin + last.length - window + tables::kAccessWindowBytes);
}

Record JsonDataset::record(std::int64_t index) const {
  VLLAMA_ASSERT(index >= 0 && index < size(), fmt::format("record {} of {}", index, size()));
  const Place& place = places_[static_cast<std::size_t>(index)];
  const auto changed = [&](std::string_view reason) {
    return RunFailure(fmt::format("{}, element {} (byte {}) changed while it was in use: {}",
                                  text_.path().string(), place.element, place.begin, reason));
  };
  try {
    const tables::ParsedJson parsed = parse(place);
    release(place, place);
    Record record = format_.read(parsed.value);
    if (format_.find_media) format_.find_media(record);
    return record;
  } catch (const tables::EntryError& error) {
    throw changed(error.reason);
  } catch (const text::TextError& error) {
    throw changed(text::failure_name(error.reason));
  }
}

}  // namespace vllama::datasets
