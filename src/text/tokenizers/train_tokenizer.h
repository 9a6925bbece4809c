// Makes a tokenizer like LLaMA's from texts: for language models that are trained from nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace vllama::text {

// A SentencePiece BPE model with the settings of LLaMA's (no normalisation, spaces kept, digits
// apart, bytes for what is not known), learned from `texts` with at most `max_pieces` pieces; fewer
// once every word is one piece. The same texts give the same bytes. Throws UserError if
// SentencePiece refuses.
void train_tokenizer(std::span<const std::string> texts, std::int64_t max_pieces,
                     const std::filesystem::path& model_file);

}  // namespace vllama::text
