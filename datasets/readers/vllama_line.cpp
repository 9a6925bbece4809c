#include "datasets/readers/vllama_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "datasets/entries/record_fields.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"

namespace vllama::datasets {

namespace fs = std::filesystem;
using nlohmann::json;
using Output = nlohmann::ordered_json;  // keys in the order of the description

namespace {

struct KindName {
  MediaKind kind;
  std::string_view key;
};
constexpr std::array kKindNames = {KindName{MediaKind::video, "video"},
                                   KindName{MediaKind::image, "image"},
                                   KindName{MediaKind::sound, "audio"}};

void check_keys(const json& object, std::string_view what,
                std::initializer_list<std::string_view> known) {
  if (!object.is_object())
    throw tables::EntryError("wrong_type",
                             fmt::format("{} must be an object, not {}", what, object.type_name()));
  for (const auto& [key, value] : object.items())
    if (std::ranges::find(known, key) == known.end())
      throw tables::EntryError("unknown_key", fmt::format("'{}' in {}, which may have: {}", key,
                                                          what, fmt::join(known, ", ")));
}

// {"video": "a.mp4", "start": 1, "end": 2}, nothing for {"text": ...}.
std::optional<samples::MediaFile> media_of(const json& part, const MediaRoot& media_root) {
  check_keys(part, "a part", {"text", "video", "image", "audio", "start", "end"});
  std::optional<samples::MediaFile> file;
  for (const auto& [kind, key] : kKindNames) {
    const auto path = tables::optional_text(part, key);
    if (!path) continue;
    if (file) throw tables::EntryError("many_media", "a part is one medium");
    file = samples::MediaFile{.source = media_root.file(media_name(*path)), .kind = kind};
  }
  const bool has_text = tables::find_member(part, "text") != nullptr;
  if (!file && !has_text)
    throw tables::EntryError("missing_media", "a part has one of: text, video, image, audio");
  if (!file) {
    check_keys(part, "a part with text", {"text"});
  } else if (file->kind == MediaKind::image) {
    check_keys(part, "a part with an image", {"image"});
  } else {
    check_keys(part, "a part with video or audio", {"video", "audio", "start", "end"});
    read_times(part, *file);
  }
  return file;
}

// The text of a message, with its media added to the record.
std::string content_of(const json& message, const MediaRoot& media_root, std::size_t turn,
                       Record& record) {
  const json* content = tables::find_member(message, "content");
  if (content == nullptr) throw tables::EntryError("missing_key", "a message without 'content'");
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array())
    throw tables::EntryError("wrong_type", "'content' must be text or a list of parts");
  std::string text;
  for (const json& part : *content) {
    const auto file = media_of(part, media_root);
    if (file) {
      record.media.push_back(*file);
      record.conversation.media.push_back({turn, text.size()});
    } else {
      text += tables::required_text(part, "text");
    }
  }
  return text;
}

void read_messages(const json& line, const MediaRoot& media_root, Record& record) {
  check_keys(line, "a conversation", {"id", "messages"});
  auto& turns = record.conversation.turns;
  bool is_users_turn = true;
  for (const json& message : tables::required_list(line, "messages")) {
    check_keys(message, "a message", {"role", "content"});
    const std::string role = tables::required_text(message, "role");
    if (role != "user" && role != "assistant")
      throw tables::EntryError("unknown_role",
                               fmt::format("'{}' is neither user nor assistant", role));
    if ((role == "user") != is_users_turn)
      throw tables::EntryError(
          "broken_order", "messages come from user and assistant in turn, the first from user");
    if (is_users_turn) turns.emplace_back();
    const std::size_t num_media = record.media.size();
    std::string text = content_of(message, media_root, turns.size() - 1, record);
    if (!is_users_turn && record.media.size() > num_media)
      throw tables::EntryError("media_in_answer");
    (is_users_turn ? turns.back().question : turns.back().answer) = std::move(text);
    is_users_turn = !is_users_turn;
  }
  if (turns.empty()) throw tables::EntryError("no_turns");
  if (!is_users_turn) throw tables::EntryError("missing_answer", "the last message is the user's");
  require_answers(record.conversation);
  if (record.media.empty()) throw tables::EntryError("text_only");
}

void read_caption(const json& line, const MediaRoot& media_root, Record& record) {
  check_keys(line, "a caption", {"id", "caption", "media"});
  const auto caption = tables::optional_text(line, "caption");
  if (!caption || tables::is_blank(*caption)) throw tables::EntryError("missing_caption");
  for (const json& part : tables::required_list(line, "media")) {
    const auto file = media_of(part, media_root);
    if (!file) throw tables::EntryError("missing_media", "the media of a caption have no text");
    record.media.push_back(*file);
  }
  if (record.media.empty()) throw tables::EntryError("missing_media");
  record.conversation.turns = {{.question = "", .answer = *caption}};
}

// As written in an annotation file: what `media_root / path` undoes.
std::string relative_text(const media::FileRange& source, const fs::path& media_root) {
  if (!source.is_whole_file()) return source.member;
  const std::string text = source.path.string(), root = (media_root / "").string();
  return text.starts_with(root) ? text.substr(root.size()) : text;
}

Output part_from(const samples::MediaFile& file, const fs::path& media_root) {
  Output part;
  for (const auto& [kind, key] : kKindNames)
    if (kind == file.kind) part[std::string(key)] = relative_text(file.source, media_root);
  if (file.start_seconds > 0) part["start"] = file.start_seconds;
  if (std::isfinite(file.end_seconds)) part["end"] = file.end_seconds;
  return part;
}

// The question of turn number `turn`, with its media between the pieces of its text.
Output content_from(const Record& record, std::size_t turn, const fs::path& media_root) {
  const std::string& question = record.conversation.turns[turn].question;
  Output parts = Output::array();
  std::size_t begin = 0;
  const auto add_text_until = [&](std::size_t end) {
    if (end > begin) parts.push_back({{"text", question.substr(begin, end - begin)}});
    begin = end;
  };
  for (std::size_t i = 0; i < record.media.size(); ++i) {
    const text::MediaPlace place = record.conversation.media[i];
    if (place.turn != turn) continue;
    add_text_until(place.offset);
    parts.push_back(part_from(record.media[i], media_root));
  }
  if (parts.empty()) return question;
  add_text_until(question.size());
  return parts;
}

// Names of members come from archives, where they are bytes and not text.
std::string dumped(const Output& line, const Record& record) {
  try {
    return line.dump();
  } catch (const Output::type_error&) {
    throw UserError(
        fmt::format("the sample '{}' names a medium in bytes that are not UTF-8, which JSON cannot "
                    "hold: rename the medium",
                    record.id));
  }
}

}  // namespace

Record record_from_line(const json& line, const MediaRoot& media_root) {
  const bool has_messages = tables::find_member(line, "messages") != nullptr;
  Record record{.id = tables::required_id(line), .media = {}, .conversation = {}};
  if (has_messages)
    read_messages(line, media_root, record);
  else if (line.contains("caption"))
    read_caption(line, media_root, record);
  else
    throw tables::EntryError("missing_key", "a line has either 'messages' or 'caption'");
  return record;
}

std::string line_from_record(const Record& record, const std::filesystem::path& media_root) {
  Output line{{"id", record.id}};
  const text::Conversation& conversation = record.conversation;
  if (conversation.is_caption()) {
    Output media = Output::array();
    for (const samples::MediaFile& file : record.media)
      media.push_back(part_from(file, media_root));
    line["caption"] = conversation.turns[0].answer;
    line["media"] = std::move(media);
    return dumped(line, record);
  }
  VLLAMA_ASSERT(conversation.media.size() == record.media.size(),
                fmt::format("every medium has a place: {} places for {} media",
                            conversation.media.size(), record.media.size()));
  Output messages = Output::array();
  for (std::size_t i = 0; i < conversation.turns.size(); ++i) {
    messages.push_back({{"role", "user"}, {"content", content_from(record, i, media_root)}});
    messages.push_back({{"role", "assistant"}, {"content", conversation.turns[i].answer}});
  }
  line["messages"] = std::move(messages);
  return dumped(line, record);
}

}  // namespace vllama::datasets
