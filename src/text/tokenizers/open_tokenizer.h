// The tokenizer that lies in the folder of a language model.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "text/tokenizers/tokenizer.h"

namespace vllama::text {

// The file of its vocabulary; the one that should be there, if none is.
std::filesystem::path tokenizer_file(const std::filesystem::path& folder);
// The files that belong to it, of those that are there: which tokens end an answer, how a chat is
// laid out.
std::vector<std::filesystem::path> files_beside_tokenizer(const std::filesystem::path& folder);

// Throws UserError naming the file if it is missing or no vocabulary.
std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& folder);

// What to warn of in a folder with both kinds of files: a text that they give different ids, or
// that the second cannot be read. Empty where they agree, or there is one. Throws UserError where
// the first, which is the one that is used, cannot be read.
std::string disagreement_of_vocabularies(const std::filesystem::path& folder);

}  // namespace vllama::text
