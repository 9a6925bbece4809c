// A conversation about one clip or image, as the data sets give it.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace vllama::text {

struct Turn {
  std::string question, answer;
};

// A caption is one turn without a question.
struct Conversation {
  std::vector<Turn> turns;
};

// One entry of a list in which user ("human") and model ("gpt") alternate.
struct Message {
  std::string role, text;
};

// Pairs questions with answers. Answers before the first question and a last question without an
// answer are left out. Throws TextError (unknown_role, broken_order, no_turns).
Conversation conversation_from_messages(std::span<const Message> messages);

}  // namespace vllama::text
