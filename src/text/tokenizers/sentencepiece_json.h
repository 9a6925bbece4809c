// A tokenizer.json whose vocabulary is of SentencePiece's kind: pieces of characters, with "▁" for
// spaces, and bytes for characters without a piece, as of LLaMA, Mistral and Vicuna.
#pragma once

#include <string>

#include "text/tokenizers/tokenizer_json.h"

namespace vllama::text {

// Whether the file is one of these; else it is byte-level, or of a kind that is not known here.
bool is_sentencepiece_kind(const TokenizerJson& file);

enum class DummyPrefix { as_the_file_says, none };

struct SentencePieceModel {
  std::string bytes;  // of the tokenizer.model that says the same
  // Where there is no dummy prefix: behind special tokens, and in front of a space.
  bool has_prefix_at_beginning_only = false, has_none_before_spaces = false;
};

// Merges become scores: the first is the best. Throws UserError naming the file, and the
// normalizer, pre-tokenizer, decoder or other part that is not known here.
SentencePieceModel sentencepiece_model(const TokenizerJson& file, DummyPrefix prefix);

}  // namespace vllama::text
