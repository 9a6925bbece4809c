// Random numbers that depend on names, not on history: a stream is a pure function of its key.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace vllama {

// Mixes numbers, for instance (seed, purpose, step, sample), into one well-spread 64-bit key.
std::uint64_t random_key(std::initializer_list<std::uint64_t> parts);

// What a stream is for; the first part of a key after the seed, so that no two uses share numbers.
enum class RandomPurpose : std::uint64_t {
  dataset_choice = 1,
  permutation = 2,
  frames = 3,
  augmentation = 4,
  prompt = 5,
  dropout = 6,
  initial_weights = 7,
  answer = 8,
  bootstrap = 9,
  object_probes = 10,
  toy_world = 11,
};

// A SplitMix64 stream (Steele, Lea, Flood 2014). The results are the same on every platform, unlike
// those of the standard library's distributions.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t key) : state_(key) {}

  std::uint64_t next();
  // Uniform in [0, 1), with 53 random bits.
  double uniform();
  // Uniform in [low, high).
  double uniform(double low, double high);
  // Uniform in [0, bound), unbiased (rejection). `bound` > 0.
  std::uint64_t below(std::uint64_t bound);
  // Normal with mean 0 and deviation 1 (Box-Muller, one of the pair).
  double normal();

 private:
  std::uint64_t state_;
};

// `count` distinct numbers of [0, bound), in increasing order (Floyd's method). count <= bound.
std::vector<std::int64_t> sorted_sample(RandomStream& stream, std::int64_t bound,
                                        std::int64_t count);

// The place of `index` in a pseudo-random permutation of [0, size) named by `key`, in constant
// memory: a four-round Feistel network over the next even power of two, walked until it lands
// inside.
class Permutation {
 public:
  Permutation(std::uint64_t key, std::uint64_t size);
  std::uint64_t operator()(std::uint64_t index) const;

 private:
  std::uint64_t encrypt(std::uint64_t value) const;

  std::uint64_t key_;
  std::uint64_t size_;
  int half_bits_;
};

}  // namespace vllama
