// Tokens with labels under construction, and which token belongs to which byte of its text.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "text/prompt.h"
#include "text/tokenizers/tokenizer.h"

namespace vllama::text {

// The byte that decides what a token belongs to: its last one, or where it stands if it has none of
// its own. So the space in front of a word goes with the word.
std::size_t deciding_byte(const Token& token);

// The first token that belongs to `byte` or to what follows it.
std::size_t token_at(std::span<const Token> tokens, std::size_t byte);

// Removes tokens in front of index `ending`, so that `num_kept` of them stay; a character that is
// spelled in bytes stays whole or goes. num_kept <= ending.
void shorten_before(std::vector<Token>& tokens, std::size_t ending, std::size_t num_kept);

// The beginning of a sequence, if the vocabulary has one.
void append_beginning(TokenSequence& sequence, const Tokenizer& tokenizer);
// Placeholders are never learned.
void append_token(TokenSequence& sequence, std::int64_t id, bool is_learned);
void append_media(TokenSequence& sequence, const Tokenizer& tokenizer, std::int64_t num_tokens);

// Throws TextError if the text of a sample contains <ImageHere> or <AudioHere>.
void refuse_placeholders(std::string_view text);

}  // namespace vllama::text
