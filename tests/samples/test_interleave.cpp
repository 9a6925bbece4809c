// The order of frames and windows of sound by their times.
#include <catch2/catch.hpp>

#include "samples/interleave.h"

namespace vllama::samples {
namespace {

using Runs = std::vector<MediaRun>;

constexpr std::size_t kSeen = 0, kHeard = 1;

Runs runs(const std::vector<double>& times_seconds, std::int64_t num_windows, double begin_seconds,
          double window_seconds) {
  return interleaved({.times_seconds = times_seconds, .tokens_per_frame = 4},
                     {.count = num_windows,
                      .begin_seconds = begin_seconds,
                      .window_seconds = window_seconds,
                      .tokens_per_window = 3});
}

}  // namespace

TEST_CASE("sound stands behind the frames of the same seconds") {
  CHECK(runs({0, 1, 2}, 6, 0, 0.5) ==
        Runs{{kSeen, 4}, {kHeard, 6}, {kSeen, 4}, {kHeard, 6}, {kSeen, 4}, {kHeard, 6}});
  // The middles are at 10.5, 11.5, 12.5 and 13.5.
  CHECK(runs({10.2, 12.6}, 4, 10, 1) == Runs{{kSeen, 4}, {kHeard, 9}, {kSeen, 4}, {kHeard, 3}});
}

TEST_CASE("sound in front of the first frame stands behind it, and what is left behind the last") {
  CHECK(runs({5, 6}, 12, 0, 1) == Runs{{kSeen, 4}, {kHeard, 18}, {kSeen, 4}, {kHeard, 18}});
  CHECK(runs({0}, 3, 0, 1) == Runs{{kSeen, 4}, {kHeard, 9}});
}

TEST_CASE("frames between which nothing is heard stand together") {
  CHECK(runs({0, 0.1, 0.2, 0.9}, 1, 0, 1) == Runs{{kSeen, 12}, {kHeard, 3}, {kSeen, 4}});
  CHECK(runs({0, 0, 0}, 1, 0, 1) == Runs{{kSeen, 12}, {kHeard, 3}});
  CHECK(runs({0, 3}, 0, 0, 1) == Runs{{kSeen, 8}});
}

}  // namespace vllama::samples
