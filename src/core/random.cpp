#include "core/random.h"

#include <bit>
#include <cmath>
#include <numbers>
#include <set>

#include "core/error.h"

namespace vllama {
namespace {

constexpr std::uint64_t kGoldenGamma = 0x9e3779b97f4a7c15;

// The finaliser of SplitMix64: every input bit changes about half of the output bits.
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace

std::uint64_t random_key(std::initializer_list<std::uint64_t> parts) {
  std::uint64_t key = parts.size();
  for (const std::uint64_t part : parts) key = mix(key * kGoldenGamma + mix(part + kGoldenGamma));
  return key;
}

std::uint64_t RandomStream::next() {
  return mix(state_ += kGoldenGamma);
}

double RandomStream::uniform() {
  return static_cast<double>(next() >> 11) * 0x1p-53;
}

double RandomStream::uniform(double low, double high) {
  return low + (high - low) * uniform();
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  VLLAMA_ASSERT(bound > 0, "an empty range has no random member");
  const std::uint64_t threshold = (0 - bound) % bound;
  std::uint64_t value = next();
  while (value < threshold) value = next();
  return value % bound;
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::vector<std::int64_t> sorted_sample(RandomStream& stream, std::int64_t bound,
                                        std::int64_t count) {
  VLLAMA_ASSERT(count <= bound, "cannot draw more distinct numbers than there are");
  std::set<std::int64_t> chosen;
  for (std::int64_t top = bound - count; top < bound; ++top) {
    const auto candidate =
        static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(top) + 1));
    if (!chosen.insert(candidate).second) chosen.insert(top);
  }
  return {chosen.begin(), chosen.end()};
}

Permutation::Permutation(std::uint64_t key, std::uint64_t size)
    : key_(key), size_(size), half_bits_((static_cast<int>(std::bit_width(size)) + 1) / 2) {
  VLLAMA_ASSERT(size > 0, "an empty range has no permutation");
}

std::uint64_t Permutation::operator()(std::uint64_t index) const {
  VLLAMA_ASSERT(index < size_, "permutation index out of range");
  do {
    index = encrypt(index);
  } while (index >= size_);
  return index;
}

std::uint64_t Permutation::encrypt(std::uint64_t value) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask;
  for (std::uint64_t round = 0; round < 4; ++round) {
    const std::uint64_t scrambled = random_key({key_, round, right}) & mask;
    left ^= scrambled;
    std::swap(left, right);
  }
  return (left << half_bits_) | right;
}

}  // namespace vllama
