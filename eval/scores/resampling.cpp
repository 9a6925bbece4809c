#include "eval/scores/resampling.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace vllama::eval {
namespace {

// The number below which a standard normal variable lies with this probability, by halving.
double normal_quantile(double probability) {
  double low = -10, high = 10;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2)) / 2 < probability ? low : high) = middle;
  }
  return low;
}

}  // namespace

Resampling::Resampling(std::vector<std::size_t> samples, std::uint64_t seed)
    : samples_(std::move(samples)),
      drawn_(samples_.size()),
      stream_(random_key({seed, static_cast<std::uint64_t>(RandomPurpose::bootstrap)})) {}

const std::vector<std::size_t>& Resampling::next() {
  // uniform() * n stays below n, and is off from equal shares by n * 2^-53 at most: no division.
  const auto count = static_cast<double>(samples_.size());
  for (std::size_t& place : drawn_)
    place = samples_[static_cast<std::size_t>(stream_.uniform() * count)];
  return drawn_;
}

std::vector<double> sums_of(const Measurement& measurement,
                            const std::vector<std::size_t>& samples) {
  const std::size_t width = measurement.num_statistics;
  std::vector<double> sums(width, 0.0);
  for (const std::size_t sample : samples) {
    const double* const row = measurement.statistics.data() + sample * width;
    for (std::size_t i = 0; i < width; ++i) sums[i] += row[i];
  }
  return sums;
}

double value_of(const Measurement& measurement, const std::vector<std::size_t>& samples) {
  return measurement.value(sums_of(measurement, samples));
}

Interval percentile_interval(std::vector<double> values, double confidence) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    return {kNone, kNone};
  }
  std::ranges::sort(values);
  const auto percentile = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], place - static_cast<double>(below));
  };
  return {percentile((1 - confidence) / 2), percentile((1 + confidence) / 2)};
}

Interval interval_of_equal_samples(double value, double num_samples, const Scale& scale,
                                   double confidence) {
  const double z = normal_quantile((1 + confidence) / 2);
  const double share = z * z / (num_samples + z * z);
  return {value - share * std::max(0.0, value - scale.lowest),
          value + share * std::max(0.0, scale.highest - value)};
}

}  // namespace vllama::eval
