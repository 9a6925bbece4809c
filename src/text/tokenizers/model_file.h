// What must hold for a tokenizer.model before SentencePiece is allowed to open it.
#pragma once

#include <string>
#include <string_view>

namespace vllama::text {

// Walks through a serialized SentencePiece `ModelProto` and throws UserError, naming `file`, unless
// it is a complete BPE model with finite scores and without a compiled character map (SentencePiece
// follows the offsets in such a map unchecked).
void check_model_file(std::string_view bytes, const std::string& file);

}  // namespace vllama::text
