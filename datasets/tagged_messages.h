// Conversations as lists of messages from "human" and "gpt", with a tag where the medium stands:
// the layout of LLaVA and what was derived from it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "text/conversation.h"

namespace vllama::datasets {

// True if a message of the human's has the tag. Throws EntryError as the next function does.
bool has_tag(const nlohmann::json& element, std::string_view tag);

// Member "conversations" of an element, [{"from": "human", "value": "<image>\nWhat?"}, {"from":
// "gpt", "value": "A dog."}]. The tag is taken out and the medium placed there; the texts stay
// otherwise as they are, line breaks beside the tag included. Throws EntryError (missing_key,
// wrong_type, missing_question, missing_answer, tag_in_answer) and text::TextError (unknown_role,
// broken_order, no_turns, no_media_place, many_media_places).
text::Conversation tagged_conversation(const nlohmann::json& element, std::string_view tag);

}  // namespace vllama::datasets
