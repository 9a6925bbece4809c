#include "datasets/readers/videochat_instruct.h"

#include <nlohmann/json.hpp>

#include "datasets/entries/record_fields.h"
#include "datasets/readers/json_dataset.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

// An instruction is said in front of the question, as VideoChat2 does, or is all there is; one that
// the turns of a conversation repeat is said once.
text::Conversation conversation_of(const nlohmann::json& element, bool reads_instructions) {
  text::Conversation conversation;
  std::string latest;
  for (const nlohmann::json& item : tables::required_list(element, "QA")) {
    const auto question = tables::optional_words(item, "q");
    const auto answer = tables::optional_words(item, "a");
    const std::string instruction =
        reads_instructions ? tables::optional_words(item, "i").value_or("") : std::string();
    if (!question && instruction.empty()) throw tables::EntryError("missing_question");
    if (!answer) throw tables::EntryError("missing_answer");
    std::string asked = question.value_or("");
    if (!tables::is_blank(instruction) && instruction != latest) {
      asked = tables::is_blank(asked) ? instruction : instruction + " " + asked;
      latest = instruction;
    }
    conversation.turns.push_back({std::move(asked), *answer});
  }
  if (conversation.turns.empty()) throw tables::EntryError("no_turns");
  require_answers(conversation);
  conversation.media = {{.turn = 0, .offset = 0}};
  return conversation;
}

Record read(const nlohmann::json& element, const MediaRoot& media_root, bool reads_instructions) {
  const auto video = tables::optional_words(element, "video"),
             image = tables::optional_words(element, "image");
  if (!video && !image) throw tables::EntryError("missing_media", "neither 'video' nor 'image'");
  if (video && image) throw tables::EntryError("many_media", "both 'video' and 'image'");
  samples::MediaFile file{.source = media_root.file(media_name(video ? *video : *image)),
                          .kind = video ? MediaKind::video : MediaKind::image};
  if (video) read_times(element, file);
  return {.id = video ? *video : *image,
          .media = {file},
          .conversation = conversation_of(element, reads_instructions)};
}

}  // namespace

std::unique_ptr<Dataset> open_videochat_instruct(const fs::path& annotations,
                                                 const MediaRoot& media_root,
                                                 const IndexFolder& indexes,
                                                 Instructions instructions) {
  const bool reads_them = instructions == Instructions::read;
  return std::make_unique<JsonDataset>(
      annotations,
      JsonFormat{
          .reader = reads_them ? "videochat_instruct 2" : "videochat_instruct 2 without i",
          .key = "",
          .read =
              [media_root, reads_them](const nlohmann::json& element) {
                return read(element, media_root, reads_them);
              },
          .find_media = [media_root](Record& record) { media_root.find_extensions(record); }},
      indexes);
}

}  // namespace vllama::datasets
