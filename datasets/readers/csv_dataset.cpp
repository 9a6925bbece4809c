#include "datasets/readers/csv_dataset.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "datasets/entries/seen_ids.h"
#include "tables/mapped_text.h"
#include "text/tokenizers/unicode.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

void fill_cells(const tables::CsvRow& row, const std::vector<std::size_t>& columns,
                std::vector<tables::CsvField>& cells) {
  cells.clear();
  for (const std::size_t column : columns)
    cells.push_back(column < row.fields.size() ? row.fields[column] : tables::CsvField{});
}

}  // namespace

std::vector<fs::path> csv_files(const fs::path& annotations) {
  std::error_code problem;
  if (fs::is_regular_file(annotations, problem)) return {annotations};
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(annotations, problem), end; !problem && entry != end;
       entry.increment(problem)) {
    const auto extension = entry->path().extension();
    if (extension == ".csv" || extension == ".tsv") files.push_back(entry->path());
  }
  if (problem == std::errc::no_such_file_or_directory)
    throw UserError(fmt::format("there is no annotation folder '{}'", annotations.string()));
  if (problem)
    throw UserError(fmt::format("cannot read the annotation folder '{}': {}", annotations.string(),
                                problem.message()));
  if (files.empty())
    throw UserError(
        fmt::format("the annotation folder '{}' has no .csv or .tsv file", annotations.string()));
  std::sort(files.begin(), files.end());
  return files;
}

// Goes through all rows once, for the index.
class CsvDataset::Indexer {
 public:
  explicit Indexer(const CsvDataset& dataset) : dataset_(dataset) {}

  IndexContent run() {
    for (const File& file : dataset_.files_) {
      add_rows(file);
      file_records_.push_back(places_.size());
    }
    IndexContent content;
    content.add("places", std::move(places_));
    content.add("file records", std::move(file_records_));
    content.add(entries_);
    return content;
  }

 private:
  void add_rows(const File& file) {
    const std::string_view text = file.content->text();
    tables::CsvScanner scanner(text, file.separator, file.rows_begin, file.rows_line);
    tables::CsvRow row;
    std::vector<tables::CsvField> cells;
    std::size_t released = 0;
    while (scanner.next(row)) {
      fill_cells(row, file.columns, cells);
      add_row(row, cells, file);
      if (row.end - released >= tables::kScanWindowBytes) {
        file.content->release_pages(released, row.end - released);
        released = row.end / tables::kAccessWindowBytes * tables::kAccessWindowBytes;
      }
    }
    file.content->release_pages(0, text.size());
  }

  // Adds the valid records of a row and counts the others.
  void add_row(const tables::CsvRow& row, CsvCells cells, const File& file) {
    const auto place = [&] {
      return fmt::format("{}:{}", file.content->path().string(), row.line);
    };
    const CsvFormat& format = dataset_.format_;
    bool is_used = false;
    for (std::int64_t part = 0; part < format.records_per_row; ++part) {
      const std::string_view fault = dataset_.fault_of(row, cells, part, file);
      if (fault.empty())
        places_.push_back({row.begin, static_cast<std::uint8_t>(part)});
      else
        entries_.invalid.add(fault, place());
      is_used |= fault.empty();
    }
    if (!is_used || !format.unique_id) return;
    const std::string id = format.unique_id(cells);
    if (!seen_.add(id))
      entries_.doubtful.add("duplicate_id", place(), fmt::format("'{}' occurred before", id));
  }

  const CsvDataset& dataset_;
  SeenIds seen_;
  std::vector<Place> places_;
  std::vector<std::uint64_t> file_records_;
  tables::EntryTallies entries_;
};

CsvDataset::CsvDataset(const fs::path& annotations, CsvFormat format, const IndexFolder& indexes)
    : format_(std::move(format)) {
  const std::vector<fs::path> paths = csv_files(annotations);
  for (const fs::path& path : paths) files_.push_back(open_file(path));
  index_ = open_index(indexes, {"csv " + format_.reader, paths},
                      [this] { return Indexer(*this).run(); });
  places_ = index_.array<Place>("places");
  file_records_ = index_.array<std::uint64_t>("file records");
  entries_ = index_.tallies();
  if (size() == 0)
    throw UserError(fmt::format("'{}' has no valid row{}{}", annotations.string(),
                                invalid().total() > 0 ? ": " : "", invalid().summary()));
}

CsvDataset::File CsvDataset::open_file(const fs::path& path) const {
  File file;
  file.content = std::make_shared<const tables::AnnotationText>(path);
  file.separator = path.extension() == ".tsv" ? '\t' : ',';
  const std::string_view text = file.content->text();
  tables::CsvScanner scanner(text, file.separator, file.content->begin());
  tables::CsvRow header;
  if (!scanner.next(header))
    throw UserError(fmt::format("'{}' is empty: it needs a header line", path.string()));
  if (header.has_open_quote)
    throw UserError(
        fmt::format("'{}': a quotation mark in the header line is never closed", path.string()));
  file.columns = find_columns(header, path);
  file.num_columns = header.fields.size();
  file.rows_begin = header.end;
  file.rows_line = scanner.line();
  return file;
}

std::vector<std::size_t> CsvDataset::find_columns(const tables::CsvRow& header,
                                                  const fs::path& path) const {
  std::vector<std::string> names;
  for (const tables::CsvField& field : header.fields) names.push_back(field.value());
  std::vector<std::size_t> columns;
  for (const std::string& column : format_.columns) {
    const auto found = std::find(names.begin(), names.end(), column);
    const bool is_json = names.front().starts_with('[') || names.front().starts_with('{');
    if (found == names.end())
      throw UserError(
          fmt::format("'{}' has no column '{}': {}", path.string(), column,
                      is_json ? "it is JSON, and this format is CSV"
                              : fmt::format("its header line names {}", fmt::join(names, ", "))));
    columns.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  return columns;
}

std::string_view CsvDataset::fault_of(const tables::CsvRow& row, CsvCells cells, std::int64_t part,
                                      const File& file) const {
  if (row.has_open_quote) return "open_quote";
  if (row.fields.size() > file.num_columns) return "too_many_fields";
  const std::string_view fault = format_.fault(cells, part);
  if (!fault.empty() || row.is_ascii) return fault;
  return is_utf8(file.content->text().substr(row.begin, row.end - row.begin)) ? "" : "not_utf8";
}

Record CsvDataset::record(std::int64_t index) const {
  VLLAMA_ASSERT(index >= 0 && index < size(), fmt::format("record {} of {}", index, size()));
  const auto in_file = std::ranges::upper_bound(file_records_, static_cast<std::uint64_t>(index));
  const File& file = files_.at(static_cast<std::size_t>(in_file - file_records_.begin()));
  const Place place = places_[static_cast<std::size_t>(index)];
  const std::size_t begin = place.row_begin;
  tables::CsvScanner scanner(file.content->text(), file.separator, begin);
  tables::CsvRow row;
  std::vector<tables::CsvField> cells;
  const bool is_row = scanner.next(row);
  fill_cells(row, file.columns, cells);
  if (!is_row || !fault_of(row, cells, place.part, file).empty())
    throw RunFailure(
        fmt::format("'{}' changed while it was in use: byte {} is no longer the start "
                    "of a valid row",
                    file.content->path().string(), begin));
  Record record = format_.record(cells, place.part);
  const std::size_t window = begin / tables::kAccessWindowBytes * tables::kAccessWindowBytes;
  file.content->release_pages(window, row.end - window + tables::kAccessWindowBytes);
  return record;
}

bool is_missing_cell(const tables::CsvField& cell) {
  // No marker of a missing value is longer than 8 bytes, nor needs it doubled quotes.
  constexpr std::size_t kLongestQuoted = 10;
  if (!cell.is_quoted && tables::is_missing_value(cell.raw)) return true;
  if (cell.is_quoted && cell.raw.size() <= kLongestQuoted && tables::is_missing_value(cell.value()))
    return true;
  const bool begins_with_text = !cell.is_quoted && text::leading_space_bytes(cell.raw) == 0;
  return !begins_with_text && stripped(cell).empty();
}

std::string stripped(const tables::CsvField& cell) {
  const std::string value = cell.value();
  return std::string(text::strip_right(text::strip_left(value)));
}

}  // namespace vllama::datasets
