// A chat as JSON: what was shown, asked and answered, and how.
#pragma once

#include <nlohmann/json.hpp>

#include "inference/chat/model_chat.h"

namespace vllama::inference {

nlohmann::ordered_json transcript(const ModelChat& conversation, const OpenedModel& opened);

}  // namespace vllama::inference
