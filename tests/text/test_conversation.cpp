#include <catch2/catch.hpp>

#include "text/conversation.h"
#include "text/error.h"

using namespace vllama::text;

namespace {

TextFailure failure_of(const std::vector<Message>& messages) {
  try {
    conversation_from_messages(messages);
  } catch (const TextError& error) {
    return error.reason;
  }
  FAIL("no TextError");
  return {};
}

}  // namespace

TEST_CASE("messages are paired into turns") {
  const std::vector<Message> messages = {
      {"human", "q1"}, {"gpt", "a1"}, {"human", "q2"}, {"gpt", "a2"}};
  const Conversation conversation = conversation_from_messages(messages);
  REQUIRE(conversation.turns.size() == 2);
  CHECK(conversation.turns[1].question == "q2");
  CHECK(conversation.turns[1].answer == "a2");
}

TEST_CASE("an answer without a question and a question without an answer are left out") {
  const std::vector<Message> messages = {
      {"gpt", "hello"}, {"human", "q"}, {"gpt", "a"}, {"human", "open"}};
  const Conversation conversation = conversation_from_messages(messages);
  REQUIRE(conversation.turns.size() == 1);
  CHECK(conversation.turns[0].question == "q");
}

TEST_CASE("what cannot be paired has a reason") {
  CHECK(failure_of({}) == TextFailure::no_turns);
  CHECK(failure_of({{"human", "q"}}) == TextFailure::no_turns);
  CHECK(failure_of({{"gpt", "a"}}) == TextFailure::no_turns);
  CHECK(failure_of({{"system", "s"}, {"human", "q"}, {"gpt", "a"}}) == TextFailure::unknown_role);
  CHECK(failure_of({{"human", "q"}, {"human", "q"}}) == TextFailure::broken_order);
  CHECK(failure_of({{"human", "q"}, {"gpt", "a"}, {"gpt", "a"}}) == TextFailure::broken_order);
  CHECK(failure_name(TextFailure::unknown_role) == "unknown_role");
}
