// A chat as JSON: what was shown, asked and answered, and how.
#pragma once

#include <nlohmann/json.hpp>

#include "eval/chat/conversation.h"

namespace vllama::eval {

nlohmann::ordered_json transcript(const Conversation& conversation, const OpenedModel& opened);

}  // namespace vllama::eval
