// A conversation about media, as the data sets give it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vllama::text {

struct Turn {
  std::string question, answer;
};

// Where a medium stands: in front of byte `offset` of the question of turn number `turn`.
struct MediaPlace {
  std::size_t turn = 0, offset = 0;

  auto operator<=>(const MediaPlace&) const = default;
};

// A caption is one turn without a question, and its media have no place.
struct Conversation {
  std::vector<Turn> turns;
  std::vector<MediaPlace> media = {};  // ascending; medium i of the sample stands at media[i]

  bool is_caption() const {
    return turns.size() == 1 && turns[0].question.empty() && media.empty();
  }
};

// One entry of a list in which user ("human") and model ("gpt") alternate.
struct Message {
  std::string role, text;
};

// Pairs questions with answers. Answers before the first question and a last question without an
// answer are left out. Throws TextError (unknown_role, broken_order, no_turns).
Conversation conversation_from_messages(std::span<const Message> messages);

// Takes the one `tag` ("<image>") out of the questions and puts the place of the only medium there.
// Throws TextError (no_media_place, many_media_places).
void place_medium_at_tag(Conversation& conversation, std::string_view tag);

}  // namespace vllama::text
