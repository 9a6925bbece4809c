#include "datasets/clotho.h"

#include <fmt/format.h>

#include "datasets/csv_dataset.h"

namespace vllama::datasets {
namespace {

constexpr std::int64_t kNumCaptions = 5;

// The first column is the file's name.
const CsvField& caption_cell(CsvCells cells, std::int64_t part) {
  return cells[static_cast<std::size_t>(1 + part)];
}

std::string_view fault_of(CsvCells cells, std::int64_t part) {
  if (is_missing_cell(cells[0])) return "missing_id";
  if (is_missing_cell(caption_cell(cells, part))) return "missing_caption";
  return {};
}

}  // namespace

std::unique_ptr<Dataset> open_clotho(const std::filesystem::path& annotations,
                                     const MediaRoot& media_root, const IndexFolder& indexes) {
  CsvFormat format;
  format.reader = "clotho 1";
  format.records_per_row = kNumCaptions;
  format.columns = {"file_name"};
  for (std::int64_t i = 1; i <= kNumCaptions; ++i)
    format.columns.push_back(fmt::format("caption_{}", i));
  format.fault = &fault_of;
  format.record = [media_root](CsvCells cells, std::int64_t part) {
    const std::string name = stripped(cells[0]);
    return Record{
        .id = fmt::format("{}#{}", name, part + 1),
        .media = {{.source = media_root.file(name), .kind = MediaKind::sound}},
        .conversation = {{{.question = "", .answer = stripped(caption_cell(cells, part))}}}};
  };
  format.unique_id = [](CsvCells cells) { return stripped(cells[0]); };
  return std::make_unique<CsvDataset>(annotations, std::move(format), indexes);
}

}  // namespace vllama::datasets
