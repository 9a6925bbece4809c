// A byte-level vocabulary of a tokenizer.json: GPT-2's kind, as SmolLM2, Llama 3 and Qwen have it.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "text/tokenizers/byte_pairs.h"
#include "text/tokenizers/tokenizer.h"
#include "text/tokenizers/word_splitter.h"

namespace vllama::text {

struct TokenizerJson;

// A token that stands in a text as it is spelled, and is never made of pieces.
struct AddedToken {
  std::string text;
  std::int64_t id = 0;
  bool is_special = false;                         // only templates can write it
  bool strips_left = false, strips_right = false;  // takes the white space beside it along
};

class ByteLevelTokenizer final : public Tokenizer {
 public:
  // The files tokenizer_config.json, generation_config.json and config.json beside it say which
  // tokens end an answer. Throws UserError naming the file, and the normalizer, pattern, decoder or
  // other part that is not known here; pieces and merges that contradict each other; and where no
  // file names an end.
  ByteLevelTokenizer(const TokenizerJson& file, const std::filesystem::path& folder);

  std::int64_t size() const override { return static_cast<std::int64_t>(texts_.size()); }
  // Tables are rounded up to multiples of 256 and more.
  std::int64_t max_added_rows() const override { return 1024; }
  std::optional<std::int64_t> bos() const override { return bos_; }
  std::optional<std::int64_t> unknown() const override { return unknown_; }
  std::span<const std::int64_t> ends() const override { return ends_; }

  // As the library `tokenizers` encodes it: special tokens, the longest first, are taken out of the
  // text; the rest is normalised, cut into words, and each word is encoded by byte pairs. What
  // users wrote holds no special tokens (encode_special_tokens). Bytes that are not UTF-8 count as
  // U+FFFD.
  std::vector<Token> encode_with_spans(const PromptText& text) const override;

  // Bytes that are no character give U+FFFD.
  std::string decode(std::span<const std::int64_t> ids) const override;

  const std::string& file_hash() const override { return file_hash_; }

 private:
  void read_model(const TokenizerJson& file);
  void read_added_tokens(const TokenizerJson& file);
  void read_ends(const TokenizerJson& file, const std::filesystem::path& folder);
  std::string& text_of(std::int64_t id);  // makes room for it
  std::optional<std::int64_t> id_of(const std::string& token) const;

  const AddedToken* added_at(const PromptText& text, std::size_t position) const;
  void append_plain(std::string_view text, std::size_t offset, std::vector<Token>& tokens) const;
  void append_pieces(std::string_view word, std::size_t offset,
                     std::vector<WordPiece>& pieces) const;
  void append_words(std::string_view text, std::vector<WordPiece>& pieces) const;

  bool is_normalised_ = false;  // NFC
  WordRules rules_;
  bool takes_whole_words_ = false;  // a word that is a piece is not made by merges
  std::unordered_map<std::string, std::int32_t> ids_;  // of words, if it does
  std::optional<BytePairs> pairs_;
  std::vector<std::string> texts_;  // by id: the bytes, or the spelling of an added token
  std::array<std::vector<AddedToken>, 256> added_;  // by their first byte, the longest first
  std::map<std::string, std::int64_t> added_ids_;
  std::optional<std::int64_t> bos_, unknown_;
  bool joins_unknown_ = false;  // neighbouring bytes without a piece are one token
  std::vector<std::int64_t> ends_;
  std::string file_hash_;
};

}  // namespace vllama::text
