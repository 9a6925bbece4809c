#include "datasets/readers/audiocaps.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "datasets/entries/media_names.h"
#include "datasets/readers/csv_dataset.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

using namespace std::string_view_literals;

enum Column { id, video, start, caption };

constexpr double kClipSeconds = 10;

std::optional<double> seconds_of(const tables::CsvField& cell) {
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
  // Sounds cut out, or the videos that they come from.
  static constexpr std::array kExtensions = {"flac"sv, "wav"sv, "mp3"sv, "m4a"sv,  "opus"sv,
                                             "ogg"sv,  "aac"sv, "mp4"sv, "webm"sv, "mkv"sv,
                                             "m4v"sv,  "mov"sv, "flv"sv, "avi"sv};
  const std::string recording = cells[video].value();
  const std::string clip = fmt::format("{}_{}", recording, stripped(cells[start]));
  samples::MediaFile file = media_root.find_named(clip, MediaKind::sound, kExtensions, "flac");
  if (!file.tried.empty()) {
    // One whose id has an extension is there as it is named, or not at all.
    const bool is_named = kind_of_name(recording).has_value();
    samples::MediaFile whole = media_root.find_named(recording, MediaKind::sound, kExtensions);
    if (is_named || whole.tried.empty()) {
      file = std::move(whole);
      file.start_seconds = *seconds_of(cells[start]);
      file.end_seconds = file.start_seconds + kClipSeconds;
    } else {
      file.tried += ", " + whole.tried;
    }
  }
  return {.id = stripped(cells[id]),
          .media = {file},
          .conversation = {{{.question = "", .answer = stripped(cells[caption])}}}};
}

}  // namespace

std::unique_ptr<Dataset> open_audiocaps(const fs::path& annotations, const MediaRoot& media_root,
                                        const IndexFolder& indexes) {
  CsvFormat format{
      .reader = "audiocaps 2",
      .columns = {"audiocap_id", "youtube_id", "start_time", "caption"},
      .fault = [](CsvCells cells, std::int64_t) { return fault_of(cells); },
      .record = [media_root](CsvCells cells, std::int64_t) { return record_of(cells, media_root); },
      .unique_id = [](CsvCells cells) { return stripped(cells[id]); }};
  return std::make_unique<CsvDataset>(annotations, std::move(format), indexes);
}

}  // namespace vllama::datasets
