#include "eval/scores/ngrams.h"

namespace vllama::eval {

std::size_t NgramHash::operator()(const Ngram& ngram) const {
  std::uint64_t hash = 0;
  for (const std::uint32_t word : ngram) hash = (hash ^ word) * 0x9e3779b97f4a7c15 + (hash >> 29);
  return hash;
}

std::size_t ngram_length(const Ngram& ngram) {
  std::size_t length = 0;
  while (length < kLongestNgram && ngram[length] != 0) ++length;
  return length;
}

NgramCounts Vocabulary::count(const Words& words) {
  std::vector<std::uint32_t> numbers;
  for (const std::string& word : words)
    numbers.push_back(
        numbers_.emplace(word, static_cast<std::uint32_t>(numbers_.size() + 1)).first->second);
  NgramCounts counts;
  for (std::size_t begin = 0; begin < numbers.size(); ++begin) {
    Ngram ngram{};
    for (std::size_t n = 0; n < kLongestNgram && begin + n < numbers.size(); ++n) {
      ngram[n] = numbers[begin + n];
      ++counts[ngram];
    }
  }
  return counts;
}

}  // namespace vllama::eval
