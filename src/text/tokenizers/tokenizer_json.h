// tokenizer.json as the library `tokenizers` writes it, read but not yet understood.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace vllama::text {

struct TokenizerJson {
  std::string file;  // for messages
  // Of the model: its pieces with their ids, and its merges, first to last, each as the two pieces
  // that it joins.
  std::vector<std::pair<std::string, std::int64_t>> pieces;
  std::vector<std::pair<std::string, std::string>> merges;
  // All else, where pieces and merges are empty.
  std::shared_ptr<const nlohmann::json> rest;
  std::string hash;  // FNV-1a (64 bit) of the bytes, as 16 hexadecimal digits

  // Throws UserError "'FILE': PROBLEM".
  [[noreturn]] void fail(const std::string& problem) const;
};

// Throws UserError naming the file if it cannot be read, is not JSON, or has pieces or merges of
// another form. Large vocabularies are read in one pass, without a value for each piece.
TokenizerJson read_tokenizer_json(const std::filesystem::path& file);

}  // namespace vllama::text
