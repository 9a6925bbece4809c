#include "datasets/entries/format_hint.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tables/entry_error.h"

namespace vllama::datasets {
namespace {

struct RecordKind {
  std::vector<std::string_view> keys;  // of which it has one
  std::string_view and_key;            // and this one
  std::string_view what;
  std::vector<std::string_view> formats;  // that read it, the nearest first
};

const std::vector<RecordKind>& record_kinds() {
  static const std::vector<RecordKind> kKinds = {
      {{"video", "videos"},
       "conversations",
       "a video record",
       {"llava_video", "llava_instruct", "video_instruct_100k"}},
      {{"image", "images"},
       "conversations",
       "an image record",
       {"llava_instruct", "llava_video", "cc595k"}},
      {{"audio", "audios"}, "conversations", "a sound record", {"llava_instruct", "llava_video"}},
      {{"video", "image"}, "QA", "a VideoChat record", {"videochat_instruct"}},
      {{"q", "a"}, "video_id", "a Video-ChatGPT record", {"video_instruct_100k"}},
      {{"id"}, "messages", "a line of our own format", {"vllama"}},
      {{"caption"}, "media", "a line of our own format", {"vllama"}},
  };
  return kKinds;
}

bool has(const nlohmann::json& element, std::string_view key) {
  const auto found = element.find(key);
  return found != element.end() && !found->is_null();
}

// Empty if the keys say nothing, or that the format is the right one.
std::string hint(const nlohmann::json& element, std::string_view format) {
  if (!element.is_object()) return {};
  for (const RecordKind& kind : record_kinds()) {
    if (!has(element, kind.and_key)) continue;
    if (std::ranges::none_of(kind.keys, [&](auto key) { return has(element, key); })) continue;
    if (std::ranges::find(kind.formats, format) != kind.formats.end()) return {};
    return fmt::format("{}: format `{}` reads it", kind.what, kind.formats.front());
  }
  return {};
}

}  // namespace

Record read_or_name_format(const nlohmann::json& element, std::string_view format,
                           const std::function<Record()>& read) {
  try {
    return read();
  } catch (const tables::EntryError& error) {
    const std::string named = hint(element, format);
    if (named.empty()) throw;
    const std::string_view problem = error.what();
    throw tables::EntryError(error.reason,
                             fmt::format("{}{}{}", problem, problem.empty() ? "" : "; ", named));
  }
}

}  // namespace vllama::datasets
