// Conversations as lists of messages from "human" and "gpt", with tags where the media stand: the
// layout of LLaVA and what was derived from it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>
#include <vector>

#include "datasets/entries/record.h"
#include "text/conversation.h"

namespace vllama::datasets {

// True if a message of the human's has the tag. Throws EntryError as the next function does.
bool has_tag(const nlohmann::json& element, std::string_view tag);

// Member "conversations" of an element, [{"from": "human", "value": "<image>\nWhat?"}, {"from":
// "gpt", "value": "A dog."}], where numbers stand for their text. Tags stay where they are, and the
// media have no places yet. Throws EntryError (missing_key, wrong_type, missing_question,
// missing_answer, tag_in_answer for any of `tags`) and text::TextError (unknown_role, broken_order,
// no_turns).
text::Conversation answered_conversation(const nlohmann::json& element,
                                         const std::vector<std::string_view>& tags);

// Media that a tag stands for, in the order of its tags.
struct TaggedMedia {
  std::string_view tag;
  std::vector<samples::MediaFile> media;
};

// Takes all tags out of the questions of a conversation without media, puts the places of the media
// there, and returns the media in that order; the texts stay otherwise as they are, line breaks
// beside the tags included. Throws text::TextError (no_media_place, many_media_places) unless each
// tag stands as often as there are media for it.
std::vector<samples::MediaFile> place_media_at_tags(text::Conversation& conversation,
                                                    std::vector<TaggedMedia> tagged);

}  // namespace vllama::datasets
