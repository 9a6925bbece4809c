#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>

#include "core/random.h"

using namespace vllama;

TEST_CASE("a stream is a pure function of its key") {
  RandomStream a(random_key({42, 7})), b(random_key({42, 7})), c(random_key({7, 42}));
  const auto first = a.next();
  CHECK(first == b.next());
  CHECK(first != c.next());
  CHECK(RandomStream(0).next() == 0xe220a8397b1dcdaf);  // published test value of SplitMix64
}

TEST_CASE("numbers have the moments they should") {
  RandomStream stream(1);
  double sum = 0, square = 0, mean = 0;
  const int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double x = stream.normal();
    sum += x;
    square += x * x;
    mean += stream.uniform();
  }
  CHECK(std::abs(sum / n) < 5 / std::sqrt(n));
  CHECK(square / n == Approx(1).margin(0.02));
  CHECK(mean / n == Approx(0.5).margin(0.005));
}

TEST_CASE("a permutation visits every index once, for any size") {
  for (const std::uint64_t size : {1u, 2u, 3u, 17u, 1000u, 4096u, 4097u}) {
    const Permutation permutation(random_key({3, size}), size);
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < size; ++i) seen.insert(permutation(i));
    CHECK(seen.size() == size);
    CHECK(*seen.rbegin() == size - 1);
  }
}

TEST_CASE("two permutations differ and neither is the identity") {
  const Permutation one(1, 1000), two(2, 1000);
  int same = 0, fixed = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    same += one(i) == two(i);
    fixed += one(i) == i;
  }
  CHECK(same < 10);
  CHECK(fixed < 10);
}

TEST_CASE("a sorted sample is distinct, sorted, in range, and reaches every member") {
  RandomStream stream(5);
  std::set<std::int64_t> reached;
  for (int i = 0; i < 200; ++i) {
    const auto sample = sorted_sample(stream, 10, 4);
    REQUIRE(sample.size() == 4);
    CHECK(std::is_sorted(sample.begin(), sample.end()));
    CHECK(std::set<std::int64_t>(sample.begin(), sample.end()).size() == 4);
    CHECK(sample.front() >= 0);
    CHECK(sample.back() < 10);
    reached.insert(sample.begin(), sample.end());
  }
  CHECK(reached.size() == 10);
}
