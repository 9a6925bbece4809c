#include "datasets/audiocaps.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "datasets/csv_dataset.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

using namespace std::string_view_literals;

enum Column { id, video, start, caption };

constexpr double kClipSeconds = 10;

std::optional<double> seconds_of(const CsvField& cell) {
  const std::string text = stripped(cell);
  double seconds = -1;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return std::isfinite(seconds) && seconds >= 0 ? std::optional(seconds) : std::nullopt;
}

std::string_view fault_of(CsvCells cells) {
  if (is_missing_cell(cells[id]) || is_missing_cell(cells[video])) return "missing_id";
  if (is_missing_cell(cells[start])) return "missing_start";
  if (!seconds_of(cells[start])) return "bad_time";
  if (is_missing_cell(cells[caption])) return "missing_caption";
  return {};
}

Record record_of(CsvCells cells, const MediaRoot& media_root) {
  static constexpr std::array kExtensions = {"flac"sv, "wav"sv, "mp3"sv, "m4a"sv, "mp4"sv};
  const std::string recording = stripped(cells[video]);
  const std::string clip = fmt::format("{}_{}", recording, stripped(cells[start]));
  MediaFile file{.source = media_root.file(clip + ".flac"), .kind = MediaKind::sound};
  if (const auto found = media_root.find(clip, kExtensions)) {
    file.source = *found;
  } else if (const auto whole = media_root.find(recording, kExtensions)) {
    file.source = *whole;
    file.start_seconds = *seconds_of(cells[start]);
    file.end_seconds = file.start_seconds + kClipSeconds;
  }
  return {.id = stripped(cells[id]),
          .media = {file},
          .conversation = {{{.question = "", .answer = stripped(cells[caption])}}}};
}

}  // namespace

std::unique_ptr<Dataset> open_audiocaps(const fs::path& annotations, const MediaRoot& media_root,
                                        const IndexFolder& indexes) {
  CsvFormat format{
      .reader = "audiocaps 1",
      .columns = {"audiocap_id", "youtube_id", "start_time", "caption"},
      .fault = [](CsvCells cells, std::int64_t) { return fault_of(cells); },
      .record = [media_root](CsvCells cells, std::int64_t) { return record_of(cells, media_root); },
      .unique_id = [](CsvCells cells) { return stripped(cells[id]); }};
  return std::make_unique<CsvDataset>(annotations, std::move(format), indexes);
}

}  // namespace vllama::datasets
