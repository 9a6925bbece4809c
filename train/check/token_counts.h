// How long samples are: a few numbers, and a histogram of text; free of libtorch.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vllama::train {

// Samples of `first` to `last` tokens.
struct TokenBin {
  std::int64_t first, last, count;
  bool operator==(const TokenBin&) const = default;
};

struct TokenCounts {
  std::int64_t min = 0, median = 0, max = 0;  // the median is the upper one of two
  std::vector<TokenBin> bins;                 // of equal width, a round number; without gaps
};

// Empty for no samples.
TokenCounts count_up(std::vector<std::int64_t> tokens_per_sample);

// One line per bin, indented: "    40-49  ━━━━━━━  17".
std::string histogram_text(const TokenCounts& counts, bool has_unicode);

}  // namespace vllama::train
