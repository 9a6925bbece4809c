#include "datasets/videochat_instruct.h"

#include <nlohmann/json.hpp>

#include "datasets/entry_error.h"
#include "datasets/json_dataset.h"
#include "datasets/json_fields.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

text::Conversation conversation_of(const nlohmann::json& element) {
  text::Conversation conversation;
  for (const nlohmann::json& item : required_list(element, "QA")) {
    const auto question = optional_text(item, "q"), answer = optional_text(item, "a");
    if (!question) throw EntryError("missing_question");
    if (!answer) throw EntryError("missing_answer");
    conversation.turns.push_back({*question, *answer});
  }
  if (conversation.turns.empty()) throw EntryError("no_turns");
  require_answers(conversation);
  conversation.media = {{.turn = 0, .offset = 0}};
  return conversation;
}

Record read(const nlohmann::json& element, const MediaRoot& media_root) {
  const auto video = optional_text(element, "video"), image = optional_text(element, "image");
  if (!video && !image) throw EntryError("missing_media", "neither 'video' nor 'image'");
  if (video && image) throw EntryError("many_media", "both 'video' and 'image'");
  MediaFile file{.source = media_root.file(media_name(video ? *video : *image)),
                 .kind = video ? MediaKind::video : MediaKind::image};
  if (video) read_times(element, file);
  return {.id = video ? *video : *image, .media = {file}, .conversation = conversation_of(element)};
}

}  // namespace

std::unique_ptr<Dataset> open_videochat_instruct(const fs::path& annotations,
                                                 const MediaRoot& media_root,
                                                 const IndexFolder& indexes) {
  return std::make_unique<JsonDataset>(annotations,
                                       JsonFormat{.reader = "videochat_instruct 1",
                                                  .key = "",
                                                  .read =
                                                      [media_root](const JsonElement& element) {
                                                        return read(element.value, media_root);
                                                      }},
                                       indexes);
}

}  // namespace vllama::datasets
