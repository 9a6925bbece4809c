#include "text/open_tokenizer.h"

#include <algorithm>
#include <array>

#include "text/sentencepiece_tokenizer.h"

namespace vllama::text {
namespace {

constexpr std::string_view kSentencePieceFile = "tokenizer.model";
constexpr std::array kFiles{kSentencePieceFile};

}  // namespace

std::span<const std::string_view> tokenizer_files() {
  return kFiles;
}

std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& folder) {
  return std::make_unique<SentencePieceTokenizer>(folder / kSentencePieceFile);
}

}  // namespace vllama::text
