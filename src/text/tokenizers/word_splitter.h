// How a text is cut into words before pieces of words are joined to tokens: the rules that
// published byte-level vocabularies use ("pre-tokenizers").
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

namespace vllama::text {

// The patterns, by the models that brought them. Each is a regular expression whose matches tile
// any text; what they mean is written out here, since a search engine for expressions is several
// times slower.
enum class WordPattern {
  // 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
  gpt2,
  // (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|
  // \s*[\r\n]+|\s+(?!\S)|\s+
  llama3,
  // The same with \p{N} for \p{N}{1,3}.
  qwen2,
};

// The pattern that a tokenizer.json writes so; nothing for another.
std::optional<WordPattern> word_pattern(std::string_view expression);

struct WordRules {
  WordPattern pattern = WordPattern::gpt2;
  // Before the pattern: every digit (\p{N}) is a text of its own.
  bool splits_digits = false;
};

// Calls `word` with each word of a text in UTF-8, from left to right.
void split_words(std::string_view text, const WordRules& rules,
                 const std::function<void(std::string_view word)>& word);

}  // namespace vllama::text
