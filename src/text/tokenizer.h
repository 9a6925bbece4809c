// Text to token ids and back: a SentencePiece BPE model plus the two placeholders for media.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sentencepiece {
class SentencePieceProcessor;
}

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
// UserError if a model that opened turns out to be contradictory in use.
class Tokenizer {
 public:
  // Reads a SentencePiece model file (tokenizer.model). Throws UserError naming the file if it is
  // damaged, not a BPE model, or without the pieces for unknown, begin and end.
  explicit Tokenizer(const std::filesystem::path& model_file);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  // Number of pieces in the file. The embedding table of the model needs at least as many rows.
  std::int64_t size() const { return size_; }
  std::int64_t unknown() const { return unknown_; }
  std::int64_t bos() const { return bos_; }
  std::int64_t eos() const { return eos_; }
  // Ids of the added placeholders, the two numbers after the last piece. They mark positions and
  // are never looked up in an embedding table, even if it happens to have such rows.
  std::int64_t image_token() const { return size_; }
  std::int64_t audio_token() const { return size_ + 1; }

  // The rule of transformers 4.28's slow LLaMA tokenizer, without BOS: the text is split at <unk>,
  // <s>, </s>, <ImageHere> and <AudioHere>; the two placeholders eat the white space beside them;
  // what remains is encoded segment by segment, each with its own dummy prefix. Bytes that are not
  // UTF-8 count as U+FFFD.
  std::vector<std::int64_t> encode(std::string_view text) const;
  std::vector<Token> encode_with_spans(std::string_view text) const;

  // The inverse, as transformers 4.28 prints it: pieces joined, one leading space removed per
  // stretch, broken byte sequences as U+FFFD, special tokens by name, single spaces around the
  // placeholders. Ids that no token has give U+FFFD.
  std::string decode(std::span<const std::int64_t> ids) const;

  // FNV-1a (64 bit) of the file's bytes as 16 hexadecimal digits, for run records.
  const std::string& file_hash() const { return file_hash_; }

 private:
  struct Special {
    std::string text;
    std::int64_t id;
    bool strips_spaces;
  };

  // The special token that starts at `position`, or nothing.
  const Special* special_at(std::string_view text, std::size_t position) const;
  void append_segment(std::string_view segment, std::size_t offset,
                      std::vector<Token>& tokens) const;
  std::string decode_stretch(std::span<const std::int64_t> ids) const;
  std::string decode_pieces(std::span<const std::int64_t> ids) const;

  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
  std::int64_t size_ = 0, unknown_ = 0, bos_ = 0, eos_ = 0;
  std::vector<Special> specials_;
  std::string file_, file_hash_;
};

}  // namespace vllama::text
