#include "train/watch/spike_detector.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/error.h"
#include "train/watch/median.h"

namespace vllama::train {
namespace {

constexpr double kSmallestLoss = 0.001;
constexpr double kSmallestScatter = 0.01;
// The standard deviation of a normal distribution in units of its median absolute deviation.
constexpr double kDeviationOfMedian = 1.4826;

// Of value `index`, from the median of the values before it: a reference's length of them, at the
// beginning at least half of that.
double rise(std::span<const double> values, std::size_t index) {
  const std::size_t length = std::min(index, SpikeDetector::kReference);
  const auto before = values.subspan(index - length, length);
  return values[index] - median({before.begin(), before.end()});
}

double z_score_of_last(std::span<const double> values) {
  const std::size_t last = values.size() - 1;
  const std::size_t num_rises =
      std::min(SpikeDetector::kRises, last - SpikeDetector::kReference / 2);
  std::vector<double> rises;
  for (std::size_t i = last - num_rises; i < last; ++i) rises.push_back(rise(values, i));
  const double usual = median(rises);
  for (double& value : rises) value = std::abs(value - usual);
  const double scatter = std::max(kDeviationOfMedian * median(rises), kSmallestScatter);
  return (rise(values, last) - std::max(usual, 0.0)) / scatter;
}

}  // namespace

std::optional<double> SpikeDetector::add(const std::string& kind, double loss) {
  VLLAMA_ASSERT(std::isfinite(loss), "a spike is a finite loss");
  std::vector<double>& losses = recent_[kind];
  losses.push_back(loss);
  std::optional<double> z_score;
  if (losses.size() > kFewest) {
    std::vector<double> values;
    for (const double value : losses)
      values.push_back(std::log(std::max(value, 0.0) + kSmallestLoss));
    z_score = z_score_of_last(values);
  }
  if (losses.size() > kMemory) losses.erase(losses.begin());
  return z_score;
}

}  // namespace vllama::train
