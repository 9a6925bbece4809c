#include "text/token_sequence.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "text/error.h"

namespace vllama::text {

std::size_t deciding_byte(const Token& token) {
  return token.end > token.begin ? token.end - 1 : token.begin;
}

std::size_t token_at(std::span<const Token> tokens, std::size_t byte) {
  const auto found = std::find_if(tokens.begin(), tokens.end(),
                                  [&](const Token& token) { return deciding_byte(token) >= byte; });
  return static_cast<std::size_t>(found - tokens.begin());
}

void shorten_before(std::vector<Token>& tokens, std::size_t ending, std::size_t num_kept) {
  VLLAMA_ASSERT(num_kept <= ending && ending <= tokens.size(), "nothing to leave out");
  if (num_kept == ending) return;
  while (num_kept > 0 && tokens[num_kept - 1].begin == tokens[num_kept - 1].end) --num_kept;
  const auto first = tokens.begin();
  tokens.erase(first + static_cast<std::ptrdiff_t>(num_kept),
               first + static_cast<std::ptrdiff_t>(ending));
}

void append_beginning(TokenSequence& sequence, const Tokenizer& tokenizer) {
  if (const auto bos = tokenizer.bos()) append_token(sequence, *bos, false);
}

void append_token(TokenSequence& sequence, std::int64_t id, bool is_learned) {
  sequence.ids.push_back(id);
  sequence.labels.push_back(is_learned ? id : kIgnoredLabel);
}

void append_media(TokenSequence& sequence, const Tokenizer& tokenizer, std::int64_t num_tokens) {
  for (std::int64_t i = 0; i < num_tokens; ++i)
    append_token(sequence, tokenizer.image_token(), false);
}

void refuse_placeholders(std::string_view text) {
  for (const std::string_view placeholder : {kImagePlaceholder, kAudioPlaceholder})
    if (text.find(placeholder) != std::string_view::npos)
      throw TextError(
          TextFailure::reserved_token,
          fmt::format("the text contains {}, which stands for media embeddings", placeholder));
}

}  // namespace vllama::text
