#include "train/check/token_counts.h"

#include <fmt/format.h>

#include <algorithm>

namespace vllama::train {
namespace {

constexpr std::int64_t kMaxBins = 12;
constexpr std::int64_t kLongestBar = 40;

// The smallest of 1, 2, 5, 10, 20, 50, ... with which [min, max] takes at most kMaxBins bins.
std::int64_t bin_width(std::int64_t min, std::int64_t max) {
  for (std::int64_t power = 1;; power *= 10)
    for (const std::int64_t factor : {1, 2, 5}) {
      const std::int64_t width = power * factor;
      if (max / width - min / width < kMaxBins) return width;
    }
}

}  // namespace

TokenCounts count_up(std::vector<std::int64_t> tokens_per_sample) {
  if (tokens_per_sample.empty()) return {};
  std::ranges::sort(tokens_per_sample);
  TokenCounts counts{.min = tokens_per_sample.front(),
                     .median = tokens_per_sample[tokens_per_sample.size() / 2],
                     .max = tokens_per_sample.back(),
                     .bins = {}};
  const std::int64_t width = bin_width(counts.min, counts.max);
  const std::int64_t first_bin = counts.min / width;
  for (std::int64_t bin = first_bin; bin <= counts.max / width; ++bin)
    counts.bins.push_back({bin * width, (bin + 1) * width - 1, 0});
  for (const std::int64_t tokens : tokens_per_sample)
    ++counts.bins[static_cast<std::size_t>(tokens / width - first_bin)].count;
  return counts;
}

std::string histogram_text(const TokenCounts& counts, bool has_unicode) {
  std::int64_t most = 1;
  std::size_t label_width = 0;
  std::vector<std::string> labels;
  for (const TokenBin& bin : counts.bins) {
    most = std::max(most, bin.count);
    labels.push_back(bin.first == bin.last ? fmt::format("{}", bin.first)
                                           : fmt::format("{}-{}", bin.first, bin.last));
    label_width = std::max(label_width, labels.back().size());
  }
  std::string text;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::int64_t count = counts.bins[i].count;
    // A sample never disappears.
    const std::int64_t length =
        count == 0 ? 0 : std::max<std::int64_t>(1, count * kLongestBar / most);
    std::string bar;
    for (std::int64_t k = 0; k < length; ++k) bar += has_unicode ? "━" : "=";
    text += fmt::format("    {:>{}}  {}{}{}\n", labels[i], label_width, bar,
                        bar.empty() ? "" : "  ", count);
  }
  return text;
}

}  // namespace vllama::train
