// A chat as JSON: what was shown, asked and answered, and how.
#pragma once

#include <nlohmann/json.hpp>

#include "inference/chat/conversation.h"

namespace vllama::inference {

nlohmann::ordered_json transcript(const Conversation& conversation, const OpenedModel& opened);

}  // namespace vllama::inference
