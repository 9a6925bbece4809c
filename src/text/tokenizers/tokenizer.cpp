#include "text/tokenizers/tokenizer.h"

namespace vllama::text {

std::vector<std::int64_t> Tokenizer::encode(const PromptText& text) const {
  std::vector<std::int64_t> ids;
  for (const Token& token : encode_with_spans(text)) ids.push_back(token.id);
  return ids;
}

}  // namespace vllama::text
