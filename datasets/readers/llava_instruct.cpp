#include "datasets/readers/llava_instruct.h"

#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "datasets/entries/record_fields.h"
#include "datasets/readers/json_dataset.h"
#include "datasets/readers/tagged_messages.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

struct Kind {
  MediaKind kind;
  std::string_view tag;
  std::array<const char*, 2> keys;  // the second as LLaMA-Factory has it
};
constexpr std::array kKinds = {Kind{MediaKind::image, "<image>", {"image", "images"}},
                               Kind{MediaKind::video, "<video>", {"video", "videos"}},
                               Kind{MediaKind::sound, "<audio>", {"audio", "audios"}}};

// The names of a kind's media: one, or a list of them.
std::vector<std::string> names_of(const nlohmann::json& element, const Kind& kind) {
  std::vector<std::string> names;
  for (const char* key : kind.keys) {
    const nlohmann::json* value = tables::find_member(element, key);
    if (value == nullptr) continue;
    if (!value->is_array()) {
      names.push_back(tables::words_of(*value, key));
      if (names.back().empty()) names.pop_back();
    } else {
      for (const nlohmann::json& name : *value) names.push_back(tables::words_of(name, key));
    }
  }
  return names;
}

// The media of a record by the tags that they stand at.
std::vector<TaggedMedia> media_of(const nlohmann::json& element, const MediaRoot& media_root,
                                  const std::string& image_prefix) {
  std::vector<TaggedMedia> all;
  for (const Kind& kind : kKinds) {
    TaggedMedia& tagged = all.emplace_back(TaggedMedia{kind.tag, {}});
    for (const std::string& written : names_of(element, kind)) {
      fs::path name = media_name(written);
      if (kind.kind == MediaKind::image && !image_prefix.empty())
        name.replace_filename(image_prefix + name.filename().string());
      tagged.media.push_back({.source = media_root.file(name), .kind = kind.kind});
    }
  }
  TaggedMedia &images = all[0], &videos = all[1];
  if (images.media.empty() && !videos.media.empty() && !has_tag(element, videos.tag))
    std::swap(images.tag, videos.tag);
  return all;
}

void require_media(const nlohmann::json& element, const std::vector<TaggedMedia>& all) {
  bool has_any_tag = false;
  for (const TaggedMedia& tagged : all) {
    if (!tagged.media.empty()) return;
    has_any_tag = has_any_tag || has_tag(element, tagged.tag);
  }
  if (has_any_tag)
    throw tables::EntryError("missing_image",
                             "a question has the tag of a medium, and the record has none");
  throw tables::EntryError("text_only",
                           "a record without image, video or audio has nothing to show");
}

Record record_of(const nlohmann::json& element, const MediaRoot& media_root,
                 const std::string& image_prefix) {
  std::vector<TaggedMedia> all = media_of(element, media_root, image_prefix);
  require_media(element, all);
  // The other tags are words like any others where there is no such medium.
  std::erase_if(all, [](const TaggedMedia& tagged) {
    return tagged.media.empty() && tagged.tag != kKinds[0].tag;
  });
  std::vector<std::string_view> tags;
  for (const TaggedMedia& tagged : all) tags.push_back(tagged.tag);
  Record record{.id = tables::required_id(element), .media = {}, .conversation = {}};
  record.conversation = answered_conversation(element, tags);
  record.media = place_media_at_tags(record.conversation, std::move(all));
  return record;
}

}  // namespace

std::unique_ptr<Dataset> open_llava_instruct(const fs::path& annotations,
                                             const MediaRoot& media_root,
                                             const std::string& image_prefix,
                                             const IndexFolder& indexes,
                                             const std::string& format) {
  const auto read = [=](const nlohmann::json& element) {
    return record_of(element, media_root, image_prefix);
  };
  const auto find_media = [media_root](Record& record) { media_root.find_extensions(record); };
  return std::make_unique<JsonDataset>(annotations,
                                       JsonFormat{.reader = format + " 2",
                                                  .key = "",
                                                  .ids = Ids::unique,
                                                  .read = read,
                                                  .find_media = find_media},
                                       indexes);
}

}  // namespace vllama::datasets
