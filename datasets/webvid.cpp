#include "datasets/webvid.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "datasets/csv.h"
#include "text/unicode.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// How much of a file may be resident while it is scanned.
constexpr std::size_t kScanWindowBytes = std::size_t{8} << 20;
// What one access to a row can make resident: the kernel maps some pages around the one it needs.
constexpr std::size_t kAccessWindowBytes = std::size_t{128} << 10;

// Without white space (Python's str.isspace()) at both ends.
std::string_view strip(std::string_view text) {
  while (const std::size_t length = text::leading_space_bytes(text)) text.remove_prefix(length);
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = text::leading_space_bytes(text.substr(i));
    i += length > 0 ? length : 1;
    if (length == 0) end = i;
  }
  return text.substr(0, end);
}

std::vector<fs::path> annotation_files(const fs::path& annotations) {
  if (fs::is_regular_file(annotations)) return {annotations};
  if (!fs::is_directory(annotations))
    throw UserError(fmt::format("there is no annotation folder '{}'", annotations.string()));
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(annotations)) {
    const auto extension = entry.path().extension();
    if (extension == ".csv" || extension == ".tsv") files.push_back(entry.path());
  }
  if (files.empty())
    throw UserError(
        fmt::format("the annotation folder '{}' has no .csv or .tsv file", annotations.string()));
  std::sort(files.begin(), files.end());
  return files;
}

bool is_missing(const CsvField& field) {
  // No marker of a missing value is longer than 8 bytes, nor needs it doubled quotes.
  constexpr std::size_t kLongestQuoted = 10;
  if (!field.is_quoted) return is_missing_value(field.raw);
  return field.raw.size() <= kLongestQuoted && is_missing_value(field.value());
}

bool is_blank(const CsvField& field) {
  const bool begins_with_text =
      !field.raw.empty() && !field.is_quoted && text::leading_space_bytes(field.raw) == 0;
  return !begins_with_text && strip(field.value()).empty();
}

}  // namespace

WebVid::WebVid(const fs::path& annotations, fs::path media_root)
    : media_root_(std::move(media_root)) {
  for (const fs::path& path : annotation_files(annotations)) index_file(path);
  if (size() == 0)
    throw UserError(fmt::format("'{}' has no valid row{}{}", annotations.string(),
                                invalid_.total() > 0 ? ": " : "", invalid_.summary()));
}

WebVid::Columns WebVid::find_columns(const CsvRow& header, const fs::path& path) {
  std::vector<std::string> names;
  for (const CsvField& field : header.fields) names.push_back(field.value());
  const auto place_of = [&](std::string_view column) {
    const auto found = std::find(names.begin(), names.end(), column);
    if (found == names.end())
      throw UserError(fmt::format("'{}' has no column '{}': its header line names {}",
                                  path.string(), column, fmt::join(names, ", ")));
    return static_cast<std::size_t>(found - names.begin());
  };
  return {place_of("videoid"), place_of("page_dir"), place_of("name"), names.size()};
}

std::string_view WebVid::fault_of(const CsvRow& row, const Columns& columns) {
  if (row.fields.size() > columns.count) return "too_many_fields";
  const auto lacks = [&](std::size_t column) {
    return column >= row.fields.size() || is_missing(row.fields[column]);
  };
  if (lacks(columns.id) || is_blank(row.fields[columns.id])) return "missing_id";
  if (lacks(columns.directory)) return "missing_directory";
  if (lacks(columns.caption) || is_blank(row.fields[columns.caption])) return "missing_caption";
  return {};
}

void WebVid::index_file(const fs::path& path) {
  File file{.mapping = MappedFile::open(path),
            .separator = path.extension() == ".tsv" ? '\t' : ',',
            .columns = {},
            .first_row = size(),
            .row_begins = {}};
  const std::string_view text = file.mapping->text();
  CsvScanner scanner(text, file.separator, text.starts_with(kByteOrderMark) ? 3 : 0);
  CsvRow row;
  if (!scanner.next(row))
    throw UserError(fmt::format("'{}' is empty: it needs a header line", path.string()));
  file.columns = find_columns(row, path);
  std::size_t released = 0;
  while (scanner.next(row)) {
    if (scanner.has_open_quote())
      throw UserError(fmt::format("'{}': a quoted field in the row of line {} is never closed",
                                  path.string(), row.line));
    std::string_view fault = fault_of(row, file.columns);
    if (fault.empty() && !row.is_ascii && !is_utf8(text.substr(row.begin, row.end - row.begin)))
      fault = "not_utf8";
    if (fault.empty())
      file.row_begins.push_back(row.begin);
    else
      invalid_.add(fault, fmt::format("{}:{}", path.string(), row.line));
    if (row.end - released >= kScanWindowBytes) {
      file.mapping->release_pages(released, row.end - released);
      released = row.end / kAccessWindowBytes * kAccessWindowBytes;
    }
  }
  file.mapping->release_pages(0, text.size());
  file.row_begins.shrink_to_fit();
  files_.push_back(std::move(file));
}

std::int64_t WebVid::size() const {
  if (files_.empty()) return 0;
  return files_.back().first_row + static_cast<std::int64_t>(files_.back().row_begins.size());
}

Record WebVid::record(std::int64_t index) const {
  VLLAMA_ASSERT(index >= 0 && index < size(), "record index out of range");
  const auto after = std::upper_bound(
      files_.begin(), files_.end(), index,
      [](std::int64_t wanted, const File& file) { return wanted < file.first_row; });
  const File& file = *std::prev(after);
  const std::size_t begin = file.row_begins[static_cast<std::size_t>(index - file.first_row)];
  CsvScanner scanner(file.mapping->text(), file.separator, begin);
  CsvRow row;
  if (!scanner.next(row) || !fault_of(row, file.columns).empty())
    throw RunFailure(
        fmt::format("'{}' changed while it was in use: byte {} is no longer the start "
                    "of a valid row",
                    file.mapping->path().string(), begin));
  const std::string id_text = row.fields[file.columns.id].value();
  const std::string_view id = strip(id_text);
  const std::string caption = row.fields[file.columns.caption].value();
  const fs::path folder = media_root_ / row.fields[file.columns.directory].value();
  const std::size_t window = begin / kAccessWindowBytes * kAccessWindowBytes;
  file.mapping->release_pages(window, row.end - window + kAccessWindowBytes);
  return {.id = std::string(id),
          .media = {{.path = folder / fmt::format("{}.mp4", id), .kind = MediaKind::video}},
          .conversation = {{{.question = "", .answer = std::string(strip(caption))}}}};
}

}  // namespace vllama::datasets
