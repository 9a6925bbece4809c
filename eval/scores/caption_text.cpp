#include "eval/scores/caption_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/error.h"
#include "core/files.h"
#include "core/text_encoding.h"
#include "eval/scores/words.h"

namespace vllama::eval {
namespace {

constexpr std::array<std::string_view, 17> kPunctuation = {
    "''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".",
    "?",  "!", ",",  ":", "-",     "--",    "...",   ";"};

void require_references(const Prediction& prediction) {
  if (prediction.references.empty())
    throw UserError(fmt::format("caption '{}' has no references ('answer_gt')", prediction.id));
}

std::string caption_of(const Prediction& prediction) {
  return prediction.is_missing() ? "" : prediction.prediction;
}

Words simple_words(std::string_view text) {
  std::string kept;
  for (const char character : lower_ascii(text)) {
    const bool is_kept = (character >= 'a' && character <= 'z') ||
                         (character >= '0' && character <= '9') || character == ' ';
    if (is_kept) kept += character;
  }
  return split_words(kept);
}

Words ptb_words(std::string_view line) {
  Words words = split_words(line);
  std::erase_if(words, [](std::string_view word) {
    return std::ranges::find(kPunctuation, word) != kPunctuation.end();
  });
  return words;
}

std::vector<std::string_view> lines_of(std::string_view content) {
  std::vector<std::string_view> lines;
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    lines.push_back(content.substr(0, end));
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  return lines;
}

}  // namespace

TokenizedCaptions simple_tokens(const std::vector<Prediction>& predictions) {
  TokenizedCaptions result{"simple", {}};
  for (const Prediction& prediction : predictions) {
    require_references(prediction);
    CaptionWords& words = result.captions.emplace_back();
    words.hypothesis = simple_words(caption_of(prediction));
    for (const std::string& reference : prediction.references)
      words.references.push_back(simple_words(reference));
  }
  return result;
}

void write_captions_for_ptb(const std::filesystem::path& path,
                            const std::vector<Prediction>& predictions) {
  std::string content;
  const auto add = [&](const std::string& caption) {
    const std::string line = joined(split_words(caption));
    content += (line.empty() ? "." : line) + "\n";
  };
  for (const Prediction& prediction : predictions) {
    require_references(prediction);
    add(caption_of(prediction));
    for (const std::string& reference : prediction.references) add(reference);
  }
  write_file_atomically(path, content);
}

TokenizedCaptions read_ptb_tokens(const std::filesystem::path& path,
                                  const std::vector<Prediction>& predictions) {
  const std::string content = read_text_file(path);
  const std::vector<std::string_view> lines = lines_of(content);
  std::size_t num_expected = 0;
  for (const Prediction& prediction : predictions) {
    require_references(prediction);
    num_expected += 1 + prediction.references.size();
  }
  if (lines.size() != num_expected)
    throw UserError(fmt::format(
        "'{}' has {} lines, but these predictions and their references are {} captions: tokenize "
        "the file that was written for them, with -preserveLines",
        path.string(), lines.size(), num_expected));
  TokenizedCaptions result{"ptb", {}};
  auto line = lines.begin();
  for (const Prediction& prediction : predictions) {
    CaptionWords& words = result.captions.emplace_back();
    words.hypothesis = ptb_words(*line++);
    for (std::size_t i = 0; i < prediction.references.size(); ++i)
      words.references.push_back(ptb_words(*line++));
  }
  return result;
}

}  // namespace vllama::eval
