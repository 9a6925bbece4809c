#include "text/open_tokenizer.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <system_error>

#include "text/sentencepiece_tokenizer.h"

namespace vllama::text {
namespace {

// The file that a vocabulary lies in, and what reads it.
struct Vocabulary {
  std::string_view file;
  std::unique_ptr<Tokenizer> (*open)(const std::filesystem::path& file);
};

template <class Reader>
std::unique_ptr<Tokenizer> open_as(const std::filesystem::path& file) {
  return std::make_unique<Reader>(file);
}

constexpr Vocabulary kVocabularies[] = {{"tokenizer.model", open_as<SentencePieceTokenizer>}};

// Of a folder without any, the first: its reader names the file that is missing.
const Vocabulary& vocabulary_in(const std::filesystem::path& folder) {
  const auto* found = std::ranges::find_if(kVocabularies, [&](const Vocabulary& vocabulary) {
    std::error_code error;
    return std::filesystem::exists(folder / vocabulary.file, error);
  });
  return found == std::end(kVocabularies) ? kVocabularies[0] : *found;
}

}  // namespace

std::filesystem::path tokenizer_file(const std::filesystem::path& folder) {
  return folder / vocabulary_in(folder).file;
}

std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& folder) {
  const Vocabulary& vocabulary = vocabulary_in(folder);
  return vocabulary.open(folder / vocabulary.file);
}

}  // namespace vllama::text
