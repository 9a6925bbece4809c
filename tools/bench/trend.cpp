#include "tools/bench/trend.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/error.h"

namespace vllama::tools {
namespace {

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The correlation of each value with the next, none of them below 0.
double neighbour_correlation(const std::vector<double>& values, double sum_of_squares) {
  double products = 0;
  for (std::size_t i = 1; i < values.size(); ++i) products += values[i] * values[i - 1];
  return std::max(0.0, products / sum_of_squares);
}

}  // namespace

double student_t_975(double degrees) {
  // The expansion around the normal distribution's point (Abramowitz and Stegun 26.7.5).
  constexpr double z = 1.959963984540054;
  const double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, z9 = z7 * z * z;
  return z + (z3 + z) / (4 * degrees) + (5 * z5 + 16 * z3 + 3 * z) / (96 * std::pow(degrees, 2)) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * std::pow(degrees, 3)) +
         (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * std::pow(degrees, 4));
}

Trend trend(std::span<const double> x, std::span<const double> y) {
  VLLAMA_ASSERT(!x.empty() && x.size() == y.size(), "a trend has readings");
  const std::size_t tenth = std::max<std::size_t>(1, y.size() / 10);
  Trend result{.first = mean(y.first(tenth)),
               .last = mean(y.last(tenth)),
               .slope = 0,
               .slope_margin = std::numeric_limits<double>::infinity()};
  const double mean_x = mean(x), mean_y = mean(y);
  double xx = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (xx == 0) return result;
  result.slope = xy / xx;
  std::vector<double> residuals(y.size());
  double sum_of_squares = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    residuals[i] = y[i] - mean_y - result.slope * (x[i] - mean_x);
    sum_of_squares += residuals[i] * residuals[i];
  }
  if (y.size() < 3) return result;
  if (sum_of_squares == 0) {
    result.slope_margin = 0;
    return result;
  }
  const double r = neighbour_correlation(residuals, sum_of_squares);
  const double degrees = static_cast<double>(y.size()) * (1 - r) / (1 + r) - 2;
  if (degrees < 1) return result;
  result.slope_margin = student_t_975(degrees) * std::sqrt(sum_of_squares / degrees / xx);
  return result;
}

}  // namespace vllama::tools
