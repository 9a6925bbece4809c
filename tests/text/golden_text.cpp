#include "tests/text/golden_text.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/fixtures.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"

namespace vllama::test {
namespace {

text::ConversationLayout laid_out(const MediaLayout& layout) {
  return {layout.layout, layout.limit, layout.reads_special_tokens};
}

}  // namespace

const text::Tokenizer& llama_tokenizer() {
  static const text::SentencePieceTokenizer tokenizer(golden_file("text/llama_tokenizer.model"));
  return tokenizer;
}

nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

std::vector<nlohmann::json> read_json_lines(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<nlohmann::json> values;
  for (std::string line; std::getline(file, line);) values.push_back(nlohmann::json::parse(line));
  REQUIRE_FALSE(values.empty());
  return values;
}

text::PromptText users(std::string_view words) {
  text::PromptText text;
  text.add(words, text::Author::user);
  return text;
}

text::Conversation conversation_from_qa(const nlohmann::json& qa) {
  text::Conversation conversation;
  for (const auto& item : qa) conversation.turns.push_back({item["q"], item["a"]});
  return conversation;
}

text::Conversation conversation_from_llava(const nlohmann::json& messages) {
  std::vector<text::Message> list;
  for (const auto& item : messages) list.push_back({item["from"], item["value"]});
  return text::conversation_from_messages(list);
}

text::TokenSequence video_conversation(const text::Tokenizer& tokenizer,
                                       text::Conversation conversation,
                                       std::string_view time_message, const MediaLayout& layout) {
  conversation.media = {{0, 0}};
  const std::string medium =
      layout.layout->media_text(MediaKind::video, layout.num_media_tokens, time_message);
  return text::build_conversation(tokenizer, conversation, {&medium, 1}, laid_out(layout));
}

text::TokenSequence image_conversation(const text::Tokenizer& tokenizer,
                                       text::Conversation conversation, const MediaLayout& layout) {
  text::place_medium_at_tag(conversation, "<image>");
  const std::string medium = layout.layout->media_text(MediaKind::image, layout.num_media_tokens);
  return text::build_conversation(tokenizer, conversation, {&medium, 1}, laid_out(layout));
}

Ids padded_rows(const std::vector<Ids>& rows, std::int64_t padding) {
  std::size_t width = 0;
  for (const Ids& row : rows) width = std::max(width, row.size());
  Ids padded;
  for (const Ids& row : rows) {
    padded.insert(padded.end(), row.begin(), row.end());
    padded.insert(padded.end(), width - row.size(), padding);
  }
  return padded;
}

Ids padded_ids(const std::vector<text::TokenSequence>& batch) {
  std::vector<Ids> rows;
  for (const auto& sequence : batch) rows.push_back(sequence.ids);
  return padded_rows(rows, 0);
}

Ids padded_labels(const std::vector<text::TokenSequence>& batch) {
  std::vector<Ids> rows;
  for (const auto& sequence : batch) rows.push_back(sequence.labels);
  return padded_rows(rows, text::kIgnoredLabel);
}

}  // namespace vllama::test
