#include "text/conversation.h"

#include <fmt/format.h>

#include "core/error.h"
#include "text/error.h"

namespace vllama::text {

Conversation conversation_from_messages(std::span<const Message> messages) {
  Conversation conversation;
  bool is_open = false;  // the last turn waits for its answer
  for (const Message& message : messages) {
    if (message.role != "human" && message.role != "gpt")
      throw TextError(TextFailure::unknown_role,
                      fmt::format("a message is from '{}', not from human or gpt", message.role));
    const bool is_question = message.role == "human";
    if (!is_question && conversation.turns.empty()) continue;
    if (is_question == is_open)
      throw TextError(TextFailure::broken_order,
                      fmt::format("two messages in a row are from {}", message.role));
    if (is_question)
      conversation.turns.push_back({message.text, ""});
    else
      conversation.turns.back().answer = message.text;
    is_open = is_question;
  }
  if (is_open) conversation.turns.pop_back();
  if (conversation.turns.empty())
    throw TextError(TextFailure::no_turns, "no question of this conversation has an answer");
  return conversation;
}

void place_medium_at_tag(Conversation& conversation, std::string_view tag) {
  VLLAMA_ASSERT(conversation.media.empty(), "the media have their places already");
  for (std::size_t i = 0; i < conversation.turns.size(); ++i) {
    const std::string& question = conversation.turns[i].question;
    for (std::size_t at = question.find(tag); at != std::string::npos;
         at = question.find(tag, at + tag.size()))
      conversation.media.push_back({i, at});
  }
  if (conversation.media.empty())
    throw TextError(TextFailure::no_media_place,
                    fmt::format("no question of the conversation has {}", tag));
  if (conversation.media.size() > 1)
    throw TextError(TextFailure::many_media_places,
                    fmt::format("more than one {} in a conversation", tag));
  const MediaPlace place = conversation.media[0];
  conversation.turns[place.turn].question.erase(place.offset, tag.size());
}

}  // namespace vllama::text
