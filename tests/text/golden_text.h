// The tokenizer and the recorded values that the text tests share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "text/conversation.h"
#include "text/prompt.h"
#include "text/tokenizer.h"

namespace vllama::test {

using Ids = std::vector<std::int64_t>;

// LLaMA's tokenizer, loaded once.
const text::Tokenizer& llama_tokenizer();

nlohmann::json read_json(const std::filesystem::path& path);

// [{"q": ..., "a": ...}] and [{"from": ..., "value": ...}].
text::Conversation conversation_from_qa(const nlohmann::json& qa);
text::Conversation conversation_from_llava(const nlohmann::json& messages);

// Pads sequences at the right to the longest, row after row.
Ids padded_rows(const std::vector<Ids>& rows, std::int64_t padding);
Ids padded_ids(const std::vector<text::TokenSequence>& batch);
Ids padded_labels(const std::vector<text::TokenSequence>& batch);

}  // namespace vllama::test
