#include "datasets/readers/tagged_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "datasets/entries/record_fields.h"
#include "tables/entry_error.h"
#include "tables/json_fields.h"
#include "text/error.h"

namespace vllama::datasets {
namespace {

std::vector<text::Message> messages_of(const nlohmann::json& element) {
  std::vector<text::Message> messages;
  for (const nlohmann::json& item : tables::required_list(element, "conversations")) {
    std::string role = tables::required_words(item, "from");
    auto value = tables::optional_words(item, "value");
    if (!value && role == "gpt") throw tables::EntryError("missing_answer");
    if (!value) throw tables::EntryError("missing_question");
    messages.push_back({std::move(role), std::move(*value)});
  }
  return messages;
}

bool contains(std::string_view text, std::string_view tag) {
  return text.find(tag) != std::string_view::npos;
}

}  // namespace

bool has_tag(const nlohmann::json& element, std::string_view tag) {
  const auto messages = messages_of(element);
  return std::ranges::any_of(messages, [&](const text::Message& message) {
    return message.role == "human" && contains(message.text, tag);
  });
}

text::Conversation answered_conversation(const nlohmann::json& element,
                                         const std::vector<std::string_view>& tags) {
  const auto messages = messages_of(element);
  text::Conversation conversation = text::conversation_from_messages(messages);
  if (messages.back().role == "human")
    throw tables::EntryError("missing_answer", "the last question has none");
  for (const text::Turn& turn : conversation.turns)
    for (const std::string_view tag : tags)
      if (contains(turn.answer, tag))
        throw tables::EntryError("tag_in_answer", fmt::format("an answer contains {}", tag));
  require_answers(conversation);
  return conversation;
}

std::vector<samples::MediaFile> place_media_at_tags(text::Conversation& conversation,
                                                    std::vector<TaggedMedia> tagged) {
  std::vector<samples::MediaFile> media;
  std::vector<std::size_t> num_used(tagged.size());
  for (std::size_t turn = 0; turn < conversation.turns.size(); ++turn) {
    std::string& question = conversation.turns[turn].question;
    for (std::size_t offset = 0; offset < question.size();) {
      const auto here = std::ranges::find_if(tagged, [&](const TaggedMedia& some) {
        return std::string_view(question).substr(offset).starts_with(some.tag);
      });
      if (here == tagged.end()) {
        ++offset;
        continue;
      }
      std::size_t& used = num_used[static_cast<std::size_t>(here - tagged.begin())];
      if (used < here->media.size()) {
        media.push_back(here->media[used]);
        conversation.media.push_back({turn, offset});
      }
      ++used;
      question.erase(offset, here->tag.size());
    }
  }
  for (std::size_t i = 0; i < tagged.size(); ++i)
    if (num_used[i] != tagged[i].media.size())
      throw text::TextError(num_used[i] < tagged[i].media.size()
                                ? text::TextFailure::no_media_place
                                : text::TextFailure::many_media_places,
                            fmt::format("the questions have {} {} times, for {} media of its kind",
                                        tagged[i].tag, num_used[i], tagged[i].media.size()));
  return media;
}

}  // namespace vllama::datasets
