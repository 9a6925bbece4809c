// Runs of one to four words, counted.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "eval/scores/caption_text.h"

namespace vllama::eval {

inline constexpr std::size_t kLongestNgram = 4;

// Numbers of words; 0 fills up runs shorter than four.
using Ngram = std::array<std::uint32_t, kLongestNgram>;

struct NgramHash {
  std::size_t operator()(const Ngram& ngram) const;
};

using NgramCounts = std::unordered_map<Ngram, std::int64_t, NgramHash>;

// Words of an n-gram, 1 to 4.
std::size_t ngram_length(const Ngram& ngram);

// Gives words their numbers, from 1.
class Vocabulary {
 public:
  // The n-grams of 1 to 4 words of a text, with their counts.
  NgramCounts count(const Words& words);

 private:
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

}  // namespace vllama::eval
