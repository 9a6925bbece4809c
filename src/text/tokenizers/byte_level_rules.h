// What a tokenizer.json says of texts around the pieces of a byte-level vocabulary.
#pragma once

#include <optional>
#include <string>

#include "text/tokenizers/word_splitter.h"

namespace vllama::text {

struct TokenizerJson;

struct ByteLevelRules {
  bool is_normalised = false;  // texts are brought to NFC
  WordRules words;
  std::optional<std::string> beginning;  // the token in front of a text
};

// Throws UserError naming the file, and the normalizer, pre-tokenizer, decoder or post-processor
// that is not known here.
ByteLevelRules byte_level_rules(const TokenizerJson& file);

}  // namespace vllama::text
