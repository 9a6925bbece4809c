#include "datasets/readers/webvid.h"

#include "datasets/entries/media_names.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

enum Column { id, directory, caption };

std::string_view fault_of(CsvCells cells) {
  if (is_missing_cell(cells[id])) return "missing_id";
  if (is_missing_cell(cells[directory])) return "missing_directory";
  if (is_missing_cell(cells[caption])) return "missing_caption";
  return {};
}

Record record_of(CsvCells cells, const MediaRoot& media_root) {
  std::string video = stripped(cells[id]);  // a number, as the original reads it
  const std::string file = kind_of_name(video) ? video : video + ".mp4";
  return {.id = std::move(video),
          .media = {{.source = media_root.file(fs::path(cells[directory].value()) / file),
                     .kind = MediaKind::video}},
          .conversation = {{{.question = "", .answer = stripped(cells[caption])}}}};
}

CsvFormat format(const MediaRoot& media_root) {
  return {
      .reader = "webvid 2",
      .columns = {"videoid", "page_dir", "name"},
      .fault = [](CsvCells cells, std::int64_t) { return fault_of(cells); },
      .record = [media_root](CsvCells cells, std::int64_t) { return record_of(cells, media_root); },
  };
}

}  // namespace

WebVid::WebVid(const std::filesystem::path& annotations, const MediaRoot& media_root,
               const IndexFolder& indexes)
    : CsvDataset(annotations, format(media_root), indexes) {}

}  // namespace vllama::datasets
