#include "datasets/readers/video_instruct_100k.h"

#include <nlohmann/json.hpp>

#include "datasets/entries/media_names.h"
#include "datasets/entries/record_fields.h"
#include "datasets/readers/json_dataset.h"
#include "datasets/readers/tagged_messages.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kFeatureExtension = ".pkl";

text::Conversation question_and_answer(const nlohmann::json& element) {
  const auto question = tables::optional_words(element, "q"),
             answer = tables::optional_words(element, "a");
  if (!question) throw tables::EntryError("missing_question");
  if (!answer || tables::is_blank(*answer)) throw tables::EntryError("missing_answer");
  return {.turns = {{*question, *answer}}, .media = {{.turn = 0, .offset = 0}}};
}

// The medium moves to the front of the question that had the tag.
text::Conversation training_form(const nlohmann::json& element) {
  constexpr std::string_view kTag = "<video>";
  text::Conversation conversation = answered_conversation(element, {kTag});
  text::place_medium_at_tag(conversation, kTag);
  text::MediaPlace& place = conversation.media.at(0);
  std::string& question = conversation.turns[place.turn].question;
  if (place.offset > 0 && question[place.offset - 1] == '\n')
    question.erase(place.offset - 1, 1);
  else if (question.substr(place.offset).starts_with('\n'))
    question.erase(place.offset, 1);
  place.offset = 0;
  return conversation;
}

// The path of the video is as it is written: the file is looked for when the record is used.
Record read(const nlohmann::json& element, const MediaRoot& media_root) {
  const bool is_training_form = tables::find_member(element, "conversations") != nullptr;
  std::string video = tables::required_words(element, is_training_form ? "video" : "video_id");
  if (is_training_form && video.ends_with(kFeatureExtension))
    video.resize(video.size() - kFeatureExtension.size());
  return {.id = video,
          .media = {{.source = media_root.file(media_name(video)), .kind = MediaKind::video}},
          .conversation = is_training_form ? training_form(element) : question_and_answer(element)};
}

// The id of a record is the name of its video.
void find_video(Record& record, const MediaRoot& media_root) {
  record.media.at(0) =
      media_root.find_named(record.id, MediaKind::video, extensions_of(MediaKind::video), "mp4");
}

}  // namespace

std::unique_ptr<Dataset> open_video_instruct_100k(const fs::path& annotations,
                                                  const MediaRoot& media_root,
                                                  const IndexFolder& indexes) {
  return std::make_unique<JsonDataset>(
      annotations,
      JsonFormat{
          .reader = "video_instruct_100k 2",
          .key = "",
          .read = [media_root](const nlohmann::json& element) { return read(element, media_root); },
          .find_media = [media_root](Record& record) { find_video(record, media_root); }},
      indexes);
}

}  // namespace vllama::datasets
