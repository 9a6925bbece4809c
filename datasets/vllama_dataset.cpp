#include "datasets/vllama_dataset.h"

#include <fmt/format.h>

#include "core/error.h"
#include "datasets/entry_error.h"
#include "datasets/json_fields.h"
#include "datasets/mapped_text.h"
#include "datasets/vllama_line.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

ParsedJson parse_line(std::string_view line) {
  try {
    return parse_json(line);
  } catch (const nlohmann::json::parse_error& error) {
    throw EntryError("not_json", error.what());
  }
}

}  // namespace

VllamaDataset::VllamaDataset(const fs::path& annotations, fs::path media_root)
    : file_(MappedFile::open(annotations)), media_root_(std::move(media_root)) {
  const std::string_view text = file_->text();
  std::size_t begin = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const std::size_t first = text.find_first_not_of(" \t\r\n", begin);
  if (first != std::string_view::npos && text[first] == '[')
    throw UserError(fmt::format("'{}' is a JSON array; the format vllama has one object per line",
                                annotations.string()));
  EntryCheck check(Ids::unique, entries_);
  std::size_t released = 0;
  for (std::int64_t line_number = 1; begin < text.size(); ++line_number) {
    const std::string_view line = line_at(begin);
    if (!is_blank(line) &&
        is_record(line, fmt::format("{}:{}", annotations.string(), line_number), check))
      line_begins_.push_back(begin);
    begin += line.size() + 1;
    if (begin < text.size() && begin - released >= kScanWindowBytes) {
      file_->release_pages(released, begin - released);
      released = begin / kAccessWindowBytes * kAccessWindowBytes;
    }
  }
  file_->release_pages(0, text.size());
  line_begins_.shrink_to_fit();
  if (line_begins_.empty())
    throw UserError(fmt::format("'{}' has no valid line{}{}", annotations.string(),
                                invalid().total() > 0 ? ": " : "", invalid().summary()));
}

bool VllamaDataset::is_record(std::string_view line, const std::string& place,
                              EntryCheck& check) const {
  ParsedJson parsed;
  const bool is_valid = check.accept(place, [&] {
    parsed = parse_line(line);
    return record_from_line(parsed.value, media_root_);
  });
  if (is_valid) check.note_repeated_key(place, parsed.repeated_key);
  return is_valid;
}

std::string_view VllamaDataset::line_at(std::size_t begin) const {
  const std::string_view text = file_->text();
  return text.substr(begin, text.find('\n', begin) - begin);
}

Record VllamaDataset::record(std::int64_t index) const {
  VLLAMA_ASSERT(index >= 0 && index < size(), "record index out of range");
  const std::size_t begin = line_begins_[static_cast<std::size_t>(index)];
  const std::string_view line = line_at(begin);
  try {
    Record record = record_from_line(parse_line(line).value, media_root_);
    const std::size_t window = begin / kAccessWindowBytes * kAccessWindowBytes;
    file_->release_pages(window, begin + line.size() - window + kAccessWindowBytes);
    return record;
  } catch (const EntryError& error) {
    throw RunFailure(fmt::format("'{}' changed while it was in use: the line at byte {} is {}",
                                 file_->path().string(), begin, error.reason));
  }
}

}  // namespace vllama::datasets
