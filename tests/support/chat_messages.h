// Conversations as transformers takes them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "text/chat.h"

namespace vllama::test {

// Messages with role and content, the last of which is a question.
inline text::Chat chat_of(const nlohmann::json& messages) {
  text::Chat chat;
  for (const auto& message : messages) {
    const std::string content = message["content"];
    if (message["role"] == "system") {
      chat.system = content;
    } else if (message["role"] == "user") {
      chat.question = content;
    } else {
      chat.past.push_back({chat.question, content});
      chat.question.clear();
    }
  }
  return chat;
}

}  // namespace vllama::test
