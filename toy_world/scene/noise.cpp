#include "toy_world/scene/noise.h"

#include <array>
#include <cmath>
#include <numbers>

#include "core/random.h"

namespace vllama::toy {
namespace {

// Where the normal distribution has `share` of its mass below; by bisection.
double normal_quantile(double share) {
  double low = -8, high = 8;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::numbers::sqrt2) / 2 < share ? low : high) = middle;
  }
  return low;
}

std::array<float, 256> unit_quantiles() {
  std::array<double, 256> quantiles{};
  double power = 0;
  for (std::size_t i = 0; i < 256; ++i) {
    quantiles[i] = normal_quantile((static_cast<double>(i) + 0.5) / 256);
    power += quantiles[i] * quantiles[i] / 256;
  }
  std::array<float, 256> scaled{};
  for (std::size_t i = 0; i < 256; ++i)
    scaled[i] = static_cast<float>(quantiles[i] / std::sqrt(power));
  return scaled;
}

}  // namespace

void add_noise(std::span<float> values, float deviation, std::uint64_t key, std::size_t first) {
  static const std::array<float, 256> kQuantiles = unit_quantiles();
  std::array<float, 256> scaled = kQuantiles;
  for (float& quantile : scaled) quantile *= deviation;
  std::size_t i = 0;
  while (i < values.size()) {
    const std::size_t place = first + i;
    const std::uint64_t bytes = random_key({key, place / 8});
    for (std::size_t byte = place % 8; byte < 8 && i < values.size(); ++byte)
      values[i++] += scaled[(bytes >> (8 * byte)) & 0xff];
  }
}

}  // namespace vllama::toy
