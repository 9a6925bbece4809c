#include "datasets/readers/vllama_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "datasets/entries/format_hint.h"
#include "datasets/readers/vllama_line.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"
#include "tables/json_text.h"
#include "tables/mapped_text.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
VllamaDataset::VllamaDataset(const fs::path& annotations, MediaRoot media_root,
                             const IndexFolder& indexes)
    : text_(annotations),
      media_root_(std::move(media_root)),
      index_(open_index(indexes, {"vllama 2", {annotations}}, [this] { return make_index(); })),
      line_begins_(index_.array<std::uint64_t>("line begins")),
      entries_(index_.tallies()) {
  if (line_begins_.empty())
    throw UserError(fmt::format("'{}' has no valid line{}{}", annotations.string(),
                                invalid().total() > 0 ? ": " : "", invalid().summary()));
}

IndexContent VllamaDataset::make_index() const {
  const std::string_view text = text_.text();
  const std::string path = text_.path().string();
  std::size_t begin = text_.begin();
  const std::size_t first = text.find_first_not_of(" \t\r\n", begin);
  if (first != std::string_view::npos && text[first] == '[')
    throw UserError(fmt::format(
        "'{}' is a JSON array; the format vllama has one object per line, as written by "
        "jq -c '.[]'",
        path));
  std::vector<std::uint64_t> line_begins;
  tables::EntryTallies entries;
  EntryCheck check(Ids::unique, entries);
  std::size_t released = 0;
  for (std::int64_t line_number = 1; begin < text.size(); ++line_number) {
    const std::string_view line = line_at(begin);
    if (!tables::is_blank(line) && is_record(line, fmt::format("{}:{}", path, line_number), check))
      line_begins.push_back(begin);
    begin += line.size() + 1;
    if (begin < text.size() && begin - released >= tables::kScanWindowBytes) {
      text_.release_pages(released, begin - released);
      released = begin / tables::kAccessWindowBytes * tables::kAccessWindowBytes;
    }
  }
  text_.release_pages(0, text.size());
  IndexContent content;
  content.add("line begins", std::move(line_begins));
  content.add(entries);
  return content;
}

bool VllamaDataset::is_record(std::string_view line, const std::string& place,
                              EntryCheck& check) const {
  tables::ParsedJson parsed;
  const bool is_valid = check.accept(place, [&] {
    parsed = tables::parse_entry(line);
    return read_or_name_format(parsed.value, "vllama",
                               [&] { return record_from_line(parsed.value, media_root_); });
  });
  if (is_valid) check.note_repeated_key(place, parsed.repeated_key);
  return is_valid;
}

std::string_view VllamaDataset::line_at(std::size_t begin) const {
  const std::string_view text = text_.text().substr(std::min(begin, text_.text().size()));
  return text.substr(0, text.find('\n'));
}

Record VllamaDataset::record(std::int64_t index) const {
  VLLAMA_ASSERT(index >= 0 && index < size(), fmt::format("record {} of {}", index, size()));
  const std::size_t begin = line_begins_[static_cast<std::size_t>(index)];
  const std::string_view line = line_at(begin);
  try {
    Record record = record_from_line(tables::parse_entry(line).value, media_root_);
    const std::size_t window = begin / tables::kAccessWindowBytes * tables::kAccessWindowBytes;
    text_.release_pages(window, begin + line.size() - window + tables::kAccessWindowBytes);
    return record;
  } catch (const tables::EntryError& error) {
    throw RunFailure(fmt::format("'{}' changed while it was in use: the line at byte {} is {}",
                                 text_.path().string(), begin, error.reason));
  }
}

}  // namespace vllama::datasets
