#include "datasets/readers/clotho.h"

#include <fmt/format.h>

#include "datasets/entries/media_names.h"
#include "datasets/readers/csv_dataset.h"

namespace vllama::datasets {
namespace {

constexpr std::int64_t kNumCaptions = 5;

// The first column is the file's name.
const tables::CsvField& caption_cell(CsvCells cells, std::int64_t part) {
  return cells[static_cast<std::size_t>(1 + part)];
}

std::string_view fault_of_row(CsvCells cells, std::int64_t part) {
  if (is_missing_cell(cells[0])) return "missing_id";
  if (is_missing_cell(caption_cell(cells, part))) return "missing_caption";
  return {};
}

}  // namespace

std::unique_ptr<Dataset> open_clotho(const std::filesystem::path& annotations,
                                     const MediaRoot& media_root, const IndexFolder& indexes) {
  CsvFormat format;
  format.reader = "clotho 2";
  format.records_per_row = kNumCaptions;
  format.columns = {"file_name"};
  for (std::int64_t i = 1; i <= kNumCaptions; ++i)
    format.columns.push_back(fmt::format("caption_{}", i));
  format.fault = &fault_of_row;
  format.record = [media_root](CsvCells cells, std::int64_t part) {
    const std::string name = cells[0].value();
    return Record{
        .id = fmt::format("{}#{}", name, part + 1),
        .media = {media_root.find_named(name, MediaKind::sound, extensions_of(MediaKind::sound))},
        .conversation = {{{.question = "", .answer = stripped(caption_cell(cells, part))}}}};
  };
  format.unique_id = [](CsvCells cells) { return cells[0].value(); };
  return std::make_unique<CsvDataset>(annotations, std::move(format), indexes);
}

}  // namespace vllama::datasets
