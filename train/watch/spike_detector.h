// How far a loss rises above the losses before it, in units of how far losses usually do.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vllama::train {

// A robust z-score. With v = log(loss + 0.001), the rise of a loss is r = v - median of the 32
// values of the same kind before it. Over the last 128 rises, m = median r, and
//   z = (r - max(m, 0)) / max(1.4826 * median |r - m|, 0.01)
//
// Why so:
// - Losses scatter in proportion to their size, to the right more than to the left. Of their
//   logarithms a threshold means the same all along a run.
// - Rises are compared with rises, so that neither the steep beginning nor losses that wander make
//   the scatter look larger than it is from one step to the next. While losses fall, rises are
//   negative; only positive ones are taken as usual, or the end of a fall would be a spike.
// - Medians are not moved by a few outliers: no spike hides the next. All losses count from then
//   on, though, so that a lasting new level is accepted after half of the 32.
// - The scatter is at least one percent, and losses below 0.001 are as good as zero: losses that
//   repeat exactly, or vanish, make no spike of a rounding error.
//
// Kinds are losses of different levels that take turns, such as data sets. Each has its own past.
class SpikeDetector {
 public:
  static constexpr std::size_t kReference = 32;  // losses that a rise is measured from
  static constexpr std::size_t kRises = 128;     // that tell the scatter
  static constexpr std::size_t kMemory = kReference + kRises;
  static constexpr std::size_t kFewest = 48;  // losses; fewer say too little

  // Of every kind the last losses, at most kMemory of them, oldest first: all there is to remember.
  using RecentLosses = std::map<std::string, std::vector<double>>;

  explicit SpikeDetector(RecentLosses recent = {}) : recent_(std::move(recent)) {}

  // The z-score of a finite `loss`, which then joins the losses of its kind; nothing while those
  // are fewer than kFewest.
  std::optional<double> add(const std::string& kind, double loss);

  const RecentLosses& recent_losses() const { return recent_; }

 private:
  RecentLosses recent_;
};

}  // namespace vllama::train
