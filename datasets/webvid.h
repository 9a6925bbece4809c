// WebVid: CSV files of video ids, folders and captions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "core/files.h"
#include "datasets/record.h"

namespace vllama::datasets {

struct CsvRow;

// All *.csv and *.tsv of a folder, sorted by name, or one such file. Each has a header line that
// names the columns `videoid`, `page_dir` and `name` among any others. Row r becomes the video
// <media_root>/<page_dir>/<videoid>.mp4 with the caption `name`, stripped of white space. Ids are
// text and keep their leading zeros.
//
// Only the places of the rows stay in memory (8 bytes each); rows are read from the file when asked
// for. A row is invalid, hence counted and left out, for these reasons: missing_id,
// missing_directory, missing_caption, too_many_fields, not_utf8.
class WebVid : public Dataset {
 public:
  // Throws UserError if there is no such file or folder, if it has no CSV file, if a column is
  // missing, a quoted field is never closed, or not one row is valid.
  WebVid(const std::filesystem::path& annotations, std::filesystem::path media_root);

  std::int64_t size() const override;
  Record record(std::int64_t index) const override;
  const InvalidEntries& invalid() const override { return invalid_; }

 private:
  // The places of the three columns in a row.
  struct Columns {
    std::size_t id = 0, directory = 0, caption = 0, count = 0;
  };
  struct File {
    std::shared_ptr<const MappedFile> mapping;
    char separator = ',';
    Columns columns;
    std::int64_t first_row = 0;             // number of valid rows in the files before
    std::vector<std::uint64_t> row_begins;  // byte offsets of the valid rows
  };

  static Columns find_columns(const CsvRow& header, const std::filesystem::path& path);
  void index_file(const std::filesystem::path& path);
  // Why a row cannot be used; empty if it can.
  static std::string_view fault_of(const CsvRow& row, const Columns& columns);

  std::filesystem::path media_root_;
  std::vector<File> files_;
  InvalidEntries invalid_;
};

}  // namespace vllama::datasets
