// The vocabulary of a tokenizer.model, or of a tokenizer.json that says the same: a SentencePiece
// BPE model plus the two placeholders for media.
#pragma once

#include <filesystem>
#include <memory>

#include "text/tokenizers/tokenizer.h"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace vllama::text {

struct TokenizerJson;

class SentencePieceTokenizer final : public Tokenizer {
 public:
  // Throws UserError naming the file if it is damaged, not a BPE model, or without the pieces for
  // unknown, begin and end.
  explicit SentencePieceTokenizer(const std::filesystem::path& model_file);
  // Of a tokenizer.json of this kind (sentencepiece_json.h). The files beside it may name further
  // ends (end_tokens.h). Throws UserError naming the file and what is wrong with it.
  explicit SentencePieceTokenizer(const TokenizerJson& file, const std::filesystem::path& folder);
  ~SentencePieceTokenizer() override;

  std::int64_t size() const override { return size_; }
  std::optional<std::int64_t> bos() const override { return bos_; }
  std::optional<std::int64_t> unknown() const override { return unknown_; }
  std::span<const std::int64_t> ends() const override { return ends_; }

  // The rule of transformers 4.28's slow LLaMA tokenizer: the text is split at <unk>, <s>, </s>,
  // what else the model has for control, <ImageHere> and <AudioHere>; the two placeholders eat the
  // white space beside them; what remains is encoded segment by segment, each with its own dummy
  // prefix. Bytes that are not UTF-8 count as U+FFFD.
  std::vector<Token> encode_with_spans(const PromptText& text) const override;

  // As transformers 4.28 prints it: pieces joined, one leading space removed per stretch, broken
  // byte sequences as U+FFFD, special tokens by name, single spaces around the placeholders.
  std::string decode(std::span<const std::int64_t> ids) const override;

  const std::string& file_hash() const override { return file_hash_; }

 private:
  struct Special {
    std::string text;
    std::int64_t id;
    bool strips_spaces;
  };

  // The special token that starts at `position`, or nothing.
  const Special* special_at(const PromptText& text, std::size_t position) const;
  void append_segment(std::string_view segment, std::size_t offset,
                      std::vector<Token>& tokens) const;
  std::string decode_stretch(std::span<const std::int64_t> ids) const;
  std::string decode_pieces(std::span<const std::int64_t> ids) const;

  using Processor = sentencepiece::SentencePieceProcessor;

  // What both kinds of files come to.
  void open(std::string_view model);

  std::unique_ptr<Processor> processor_;
  std::unique_ptr<Processor> without_prefix_;  // null where there always is one
  bool has_prefix_at_beginning_only_ = false, has_none_before_spaces_ = false;
  std::int64_t size_ = 0, unknown_ = 0, bos_ = 0;
  std::vector<std::int64_t> ends_;
  std::vector<Special> specials_;
  std::string file_, file_hash_;
};

}  // namespace vllama::text
