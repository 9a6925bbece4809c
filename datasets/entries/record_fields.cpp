#include "datasets/entries/record_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tables/entry_error.h"
#include "tables/json_fields.h"

namespace vllama::datasets {

using nlohmann::json;
using tables::optional_seconds;

void read_times(const json& object, samples::MediaFile& file) {
  file.start_seconds = optional_seconds(object, "start").value_or(file.start_seconds);
  file.end_seconds = optional_seconds(object, "end").value_or(file.end_seconds);
  if (!(file.start_seconds >= 0 && file.start_seconds < file.end_seconds))
    throw tables::EntryError(
        "bad_time", fmt::format("from {} s to {} s", file.start_seconds, file.end_seconds));
}

std::filesystem::path media_name(const std::string& path) {
  if (path.empty()) throw tables::EntryError("missing_media");
  if (path.find('\0') != std::string::npos)
    throw tables::EntryError("bad_path", "a path has a zero byte");
  if (path.find("://") != std::string::npos)
    throw tables::EntryError(
        "url", fmt::format("'{}' is an address: download it, and give the path of the "
                           "file",
                           path));
  return path;
}

void require_answers(const text::Conversation& conversation) {
  if (std::ranges::all_of(conversation.turns,
                          [](const text::Turn& turn) { return tables::is_blank(turn.answer); }))
    throw tables::EntryError("missing_answer");
}

}  // namespace vllama::datasets
