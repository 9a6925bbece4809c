// Text to token ids and back. What a vocabulary is made of lies behind the interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizers/prompt_text.h"

namespace vllama::text {

inline constexpr std::string_view kImagePlaceholder = "<ImageHere>";
inline constexpr std::string_view kAudioPlaceholder = "<AudioHere>";

// A token and the bytes [begin, end) of the text that it stands for. begin == end for a token
// without text of its own: a dummy prefix, or one of the first bytes of a character that is spelled
// in bytes (the last of them carries the character).
struct Token {
  std::int64_t id;
  std::size_t begin, end;
};

// Immutable after construction: all members may be called from several threads at once. They throw
// UserError if a vocabulary that opened turns out to be contradictory in use.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Number of tokens in the vocabulary. The embedding table of the model needs at least as many
  // rows, and has at most max_added_rows() more: for added tokens, and rounding for speed.
  virtual std::int64_t size() const = 0;
  virtual std::int64_t max_added_rows() const { return 256; }
  // What a sequence begins with; some vocabularies have no such token.
  virtual std::optional<std::int64_t> bos() const = 0;
  // What stands for text that has no token, where there is such a thing.
  virtual std::optional<std::int64_t> unknown() const = 0;
  // Each of them ends an answer; at least one.
  virtual std::span<const std::int64_t> ends() const = 0;
  // Ids of the added placeholders, the two numbers after the last token. They mark positions and
  // are never looked up in an embedding table, even if it happens to have such rows.
  std::int64_t image_token() const { return size(); }
  std::int64_t audio_token() const { return size() + 1; }

  // Without bos(). The text of templates is searched for the placeholders and for special tokens of
  // the vocabulary; that of users is not.
  virtual std::vector<Token> encode_with_spans(const PromptText& text) const = 0;
  std::vector<std::int64_t> encode(const PromptText& text) const;
  // Of a template's text.
  std::vector<std::int64_t> encode(std::string_view text) const { return encode(PromptText(text)); }

  // The inverse; special tokens by name. Ids that no token has give U+FFFD.
  virtual std::string decode(std::span<const std::int64_t> ids) const = 0;

  // FNV-1a (64 bit) of the vocabulary's file as 16 hexadecimal digits, for run records.
  virtual const std::string& file_hash() const = 0;
};

}  // namespace vllama::text
