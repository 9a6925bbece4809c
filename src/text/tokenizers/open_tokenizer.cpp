#include "text/tokenizers/open_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <system_error>

#include "core/error.h"
#include "text/tokenizers/byte_level_tokenizer.h"
#include "text/tokenizers/sentencepiece_json.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "text/tokenizers/tokenizer_json.h"

namespace vllama::text {
namespace {

// The file that a vocabulary lies in, and what reads it.
struct Vocabulary {
  std::string_view file;
  std::unique_ptr<Tokenizer> (*open)(const std::filesystem::path& file);
  // What it, and who asks for the family of prompts, reads besides, if it is there.
  std::vector<std::string_view> files_beside = {};
};

std::unique_ptr<Tokenizer> open_model(const std::filesystem::path& file) {
  return std::make_unique<SentencePieceTokenizer>(file);
}

std::unique_ptr<Tokenizer> open_json(const std::filesystem::path& file) {
  const TokenizerJson json = read_tokenizer_json(file);
  if (is_sentencepiece_kind(json))
    return std::make_unique<SentencePieceTokenizer>(json, file.parent_path());
  return std::make_unique<ByteLevelTokenizer>(json, file.parent_path());
}

const Vocabulary kVocabularies[] = {
    {"tokenizer.model", open_model},
    {"tokenizer.json",
     open_json,
     {"tokenizer_config.json", "generation_config.json", "chat_template.jinja"}},
};

// Of a folder without any, the first.
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

std::vector<std::filesystem::path> files_beside_tokenizer(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const std::string_view name : vocabulary_in(folder).files_beside)
    if (std::error_code error; std::filesystem::is_regular_file(folder / name, error))
      files.push_back(folder / name);
  return files;
}

std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& folder) {
  if (std::error_code error; std::filesystem::is_directory(folder, error) &&
                             !std::filesystem::exists(tokenizer_file(folder), error))
    throw UserError(fmt::format(
        "'{}' has neither tokenizer.model nor tokenizer.json: download the one that belongs to "
        "these weights into it",
        folder.string()));
  const Vocabulary& vocabulary = vocabulary_in(folder);
  return vocabulary.open(folder / vocabulary.file);
}

std::string disagreement_of_vocabularies(const std::filesystem::path& folder) {
  const Vocabulary& used = kVocabularies[0];
  const Vocabulary& other = kVocabularies[1];
  for (const Vocabulary& vocabulary : kVocabularies)
    if (std::error_code error; !std::filesystem::exists(folder / vocabulary.file, error)) return {};
  const auto tokenizer = used.open(folder / used.file);
  try {
    const auto second = other.open(folder / other.file);
    for (const std::string_view text : {"What happens in the video?", "Zwei Hunde, 12 caf\u00e9s."})
      if (tokenizer->encode(text) != second->encode(text))
        return fmt::format(
            "'{}': {} and {} give '{}' different ids: they are not of one model. {} is used; "
            "remove "
            "the one that does not belong to the weights",
            folder.string(), used.file, other.file, text, used.file);
  } catch (const UserError& error) {
    return fmt::format("{}; {} beside it is used", error.what(), used.file);
  }
  return {};
}

}  // namespace vllama::text
