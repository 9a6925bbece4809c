#include "toy_world/senses/captions.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "core/error.h"
#include "toy_world/scene/phrases.h"

namespace vllama::toy {
namespace {

constexpr std::int64_t kPadding = 0, kStart = 1;

// Words and commas.
std::vector<std::string> split(const std::string& caption) {
  std::string spaced;
  for (const char letter : caption) {
    if (letter == ',') spaced += ' ';
    spaced += letter;
  }
  std::istringstream stream(spaced);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool is_any(const auto& words, const std::string& word) {
  return std::ranges::find(words, word) != std::ranges::end(words);
}

bool is_size(const std::string& word) {
  return word == size_word(true) || word == size_word(false);
}

// Erases "at the top left", to the next mark or clause, and "on a dotted field".
void erase_phrase(std::vector<std::string>& words, const std::string& first,
                  const std::set<std::string>& ends, bool with_end) {
  auto begin = std::ranges::find(words, first);
  while (begin != words.end()) {
    auto end = std::find_if(begin + 1, words.end(),
                            [&](const std::string& word) { return ends.contains(word); });
    if (with_end && end != words.end()) ++end;
    const auto rest = words.erase(begin, end);
    begin = std::find(rest, words.end(), first);
  }
}

}  // namespace

CaptionWords::CaptionWords() {
  const auto add = [this](std::string_view word) {
    numbers_.emplace(word, static_cast<std::int64_t>(numbers_.size()) + 2);
  };
  for (const char* word : {",", "a", "and", "at", "the", "on", "field", "nothing", "top", "bottom",
                           "left", "right", "middle"})
    add(word);
  for (const bool is_large : {false, true}) add(size_word(is_large));
  for (const auto word : kColourWords) add(word);
  for (const auto word : kKindWords) add(word);
  for (const auto word : kFieldWords) add(word);
}

std::vector<std::int64_t> CaptionWords::encode(const std::string& caption) const {
  std::vector<std::int64_t> numbers{kStart};
  for (const std::string& word : split(caption)) {
    const auto found = numbers_.find(word);
    VLLAMA_ASSERT(found != numbers_.end(), "a caption has a word that is not in the table");
    numbers.push_back(found->second);
  }
  VLLAMA_ASSERT(std::ssize(numbers) <= kCaptionLength, "a caption is longer than expected");
  numbers.resize(kCaptionLength, kPadding);
  return numbers;
}

std::string describe(const Picture& picture, RandomStream& random) {
  std::vector<std::string> words = split(picture_caption(picture.scene, picture.time, random));
  if (random.below(2) == 1) {
    if (random.below(2) == 1) std::erase_if(words, is_size);
    if (random.below(2) == 1)
      std::erase_if(words, [](const std::string& word) { return is_any(kColourWords, word); });
    if (random.below(2) == 1) erase_phrase(words, "at", {",", "and", "on"}, false);
    if (random.below(2) == 1) erase_phrase(words, "on", {"field"}, true);
  }
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace vllama::toy
