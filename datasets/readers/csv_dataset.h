// Data sets whose records are the rows of CSV files; each format gives its own reader.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/entries/record.h"
#include "datasets/index/index_file.h"
#include "tables/annotation_text.h"
#include "tables/csv.h"

namespace vllama::datasets {

// The fields of a row in the columns that a format names, in its order; one that the row is too
// short for is empty.
using CsvCells = std::span<const tables::CsvField>;

struct CsvFormat {
  std::string reader;                // of the index: a name and a number, see IndexKey
  std::vector<std::string> columns;  // that the header line must name, among any others
  std::int64_t records_per_row = 1;  // at most 256
  // Why record number `part` of the row cannot be used: a stable name, or empty if it can be.
  std::function<std::string_view(CsvCells, std::int64_t part)> fault;
  std::function<Record(CsvCells, std::int64_t part)> record;
  // The id of a row, where ids are meant to differ.
  std::function<std::string(CsvCells)> unique_id = {};
};

// All *.csv and *.tsv of a folder, sorted by name, or the one file that is named. Throws UserError
// if the folder has none.
std::vector<std::filesystem::path> csv_files(const std::filesystem::path& annotations);

// All *.csv and *.tsv of a folder, sorted by name, or one such file, each with a header line.
//
// The index holds the places of the records, 8 bytes each; rows are read from the file when asked
// for. Beside the reasons of the format, a record is invalid for open_quote, too_many_fields and
// not_utf8.
class CsvDataset : public Dataset {
 public:
  // Throws UserError if there is no such file or folder, if it has no CSV file, if a file is no
  // text, a column is missing, a quotation mark of a header is never closed, or not one record is
  // valid.
  CsvDataset(const std::filesystem::path& annotations, CsvFormat format,
             const IndexFolder& indexes = {});

  std::int64_t size() const override { return static_cast<std::int64_t>(places_.size()); }
  Record record(std::int64_t index) const override;
  const tables::InvalidEntries& invalid() const override { return entries_.invalid; }
  const tables::DoubtfulEntries& doubtful() const override { return entries_.doubtful; }

 private:
  struct Place {
    std::uint64_t row_begin : 56, part : 8;
  };
  // An annotation file, ready to be read from.
  struct File {
    std::shared_ptr<const tables::AnnotationText> content;
    char separator = ',';
    std::vector<std::size_t> columns;  // where those of the format stand in a row
    std::size_t num_columns = 0;
    std::size_t rows_begin = 0;  // byte behind the header line
    std::int64_t rows_line = 1;
  };
  class Indexer;

  File open_file(const std::filesystem::path& path) const;
  std::vector<std::size_t> find_columns(const tables::CsvRow& header,
                                        const std::filesystem::path& path) const;
  std::string_view fault_of(const tables::CsvRow& row, CsvCells cells, std::int64_t part,
                            const File& file) const;

  CsvFormat format_;
  std::vector<File> files_;
  Index index_;
  std::span<const Place> places_;                // of the valid records, file by file
  std::span<const std::uint64_t> file_records_;  // number of valid records up to the end of a file
  tables::EntryTallies entries_;
};

// True if a cell holds nothing, white space, or what pandas reads as NaN.
bool is_missing_cell(const tables::CsvField& cell);
// What the cell says, without white space (Python's str.isspace()) at both ends. For texts: names
// of files are cell.value(), white space included.
std::string stripped(const tables::CsvField& cell);

}  // namespace vllama::datasets
