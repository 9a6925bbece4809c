// The tokens of an example as people read them: which are learned, where media stand, what each
// says; free of libtorch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "text/tokenizers/tokenizer.h"

namespace vllama::train {

enum class TokenRole { ignored, target, media };

struct TokenView {
  std::int64_t id;
  // With its leading space. Of a character that is spelled in bytes the last token has it, and the
  // others are empty.
  std::string text;
};

// Neighbouring tokens of one role; all that stand for one medium.
struct TokenStretch {
  TokenRole role = TokenRole::ignored;
  std::vector<TokenView> tokens;  // without texts in a medium's stretch
  std::string medium;             // "video"
};

struct MediumLabel {
  std::string name;
  std::int64_t num_tokens;
};

// `media` in the order of their tokens. Labels as in samples::Example.
std::vector<TokenStretch> token_stretches(const text::Tokenizer& tokenizer,
                                          std::span<const std::int64_t> ids,
                                          std::span<const std::int64_t> labels,
                                          std::span<const MediumLabel> media);

std::int64_t count_tokens(std::span<const TokenStretch> stretches, TokenRole role);

struct TextStyle {
  bool has_colour = false;   // ANSI, 256 colours
  bool has_unicode = false;  // beyond what comes from the data
};

// One text with a background per role, in which neighbouring tokens differ a little, or without
// colour a line per stretch that names its role, with a | between tokens.
std::string token_text(std::span<const TokenStretch> stretches, const TextStyle& style);

// The same as HTML: spans with the id as tooltip. Nothing in a token is taken as markup.
std::string token_html(std::span<const TokenStretch> stretches);

}  // namespace vllama::train
