// The tokenizer and the recorded values that the text tests share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "text/conversation.h"
#include "text/prompt.h"
#include "text/prompt_template.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"

namespace vllama::test {

using Ids = std::vector<std::int64_t>;

// LLaMA's tokenizer, loaded once.
const text::Tokenizer& llama_tokenizer();

// The layouts of training.
inline const text::PromptLayout& vicuna_layout() {
  return text::prompt_template("vicuna").training;
}
inline const text::PromptLayout& llama2_layout() {
  return text::prompt_template("llama_v2").training;
}

nlohmann::json read_json(const std::filesystem::path& path);
// One value a line; at least one.
std::vector<nlohmann::json> read_json_lines(const std::filesystem::path& path);

// Words that a user wrote, in which special tokens are letters.
text::PromptText users(std::string_view words);

// [{"q": ..., "a": ...}] and [{"from": ..., "value": ...}].
text::Conversation conversation_from_qa(const nlohmann::json& qa);
text::Conversation conversation_from_llava(const nlohmann::json& messages);

// A conversation with one medium.
struct MediaLayout {
  const text::PromptLayout* layout = &vicuna_layout();
  std::int64_t num_media_tokens = 32;
  text::LengthLimit limit{.max_tokens = 512};
  bool reads_special_tokens = false;
};
// The medium stands in front of the first question.
text::TokenSequence video_conversation(const text::Tokenizer& tokenizer,
                                       text::Conversation conversation,
                                       std::string_view time_message, const MediaLayout& layout);
// The medium stands where a question has <image>.
text::TokenSequence image_conversation(const text::Tokenizer& tokenizer,
                                       text::Conversation conversation, const MediaLayout& layout);

// Pads sequences at the right to the longest, row after row.
Ids padded_rows(const std::vector<Ids>& rows, std::int64_t padding);
Ids padded_ids(const std::vector<text::TokenSequence>& batch);
Ids padded_labels(const std::vector<text::TokenSequence>& batch);

}  // namespace vllama::test
