#include "datasets/tagged_messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "datasets/entry_error.h"
#include "datasets/json_fields.h"

namespace vllama::datasets {
namespace {

std::vector<text::Message> messages_of(const nlohmann::json& element) {
  std::vector<text::Message> messages;
  for (const nlohmann::json& item : required_list(element, "conversations")) {
    std::string role = required_text(item, "from");
    auto value = optional_text(item, "value");
    if (!value && role == "gpt") throw EntryError("missing_answer");
    if (!value) throw EntryError("missing_question");
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

text::Conversation tagged_conversation(const nlohmann::json& element, std::string_view tag) {
  const auto messages = messages_of(element);
  text::Conversation conversation = text::conversation_from_messages(messages);
  if (messages.back().role == "human")
    throw EntryError("missing_answer", "the last question has none");
  for (const text::Turn& turn : conversation.turns)
    if (contains(turn.answer, tag))
      throw EntryError("tag_in_answer", fmt::format("an answer contains {}", tag));
  require_answers(conversation);
  text::place_medium_at_tag(conversation, tag);
  return conversation;
}

}  // namespace vllama::datasets
