// The tokenizer that lies in the folder of a language model.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "text/tokenizer.h"

namespace vllama::text {

// Names of the files that a vocabulary may lie in, the first that is there being read.
std::span<const std::string_view> tokenizer_files();

// Throws UserError naming the file if it is missing or no vocabulary.
std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& folder);

}  // namespace vllama::text
