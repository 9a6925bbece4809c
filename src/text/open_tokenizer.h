// The tokenizer that lies in the folder of a language model.
#pragma once

#include <filesystem>
#include <memory>

#include "text/tokenizer.h"

namespace vllama::text {

// The file of its vocabulary; the one that should be there, if none is.
std::filesystem::path tokenizer_file(const std::filesystem::path& folder);

// Throws UserError naming the file if it is missing or no vocabulary.
std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& folder);

}  // namespace vllama::text
