// Who holds up the others: named with the reason, from times with gaps.
#include <catch2/catch.hpp>
#include <limits>

#include "core/error.h"
#include "train/watch/stragglers.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// The report after one step.
std::optional<StragglerReport> report_of(const std::vector<RankTimes>& times) {
  return StragglerWatch(std::ssize(times), 1).add(times);
}

}  // namespace

TEST_CASE("stragglers: a rank that computes slowly") {
  const auto report = report_of({{1, 0.1}, {1, 0.1}, {1.65, 0.11}, {1, 0.1}});
  REQUIRE(report);
  CHECK(report->straggler.rank == 2);
  CHECK(report->straggler.ratio == Approx(1.6));
  CHECK(report->straggler.reason == "compute");
  CHECK(report->data_share_of_excess == Approx(0.01 / 0.66));
  CHECK(report->median_seconds == Approx(1.1));
  CHECK(report->median_compute_seconds == Approx(1));
  CHECK(report->median_data_wait_seconds == Approx(0.1));
  CHECK(report->is_noteworthy());
  CHECK_THAT(report->text(), Contains("rank 2 holds up the others: 1.76 s per step, 1.60 times the "
                                      "median of 4 ranks; 98% of the excess is compute"));
}

TEST_CASE("stragglers: a rank that waits for data") {
  const auto report = report_of({{1, 0}, {0.9, 0.9}, {1, 0}});
  REQUIRE(report);
  CHECK(report->straggler.rank == 1);
  CHECK(report->straggler.ratio == Approx(1.8));
  CHECK(report->straggler.reason == "data");
  CHECK(report->data_share_of_excess == 1);
  CHECK_THAT(report->text(), Contains("100% of the excess is waiting for data"));
}

TEST_CASE("stragglers: two ranks, and equal ones") {
  const auto two = report_of({{1, 0}, {2, 0}});
  REQUIRE(two);
  CHECK(two->straggler.rank == 1);
  CHECK(two->straggler.ratio == Approx(2 / 1.5));
  const auto equal = report_of({{1, 0.5}, {1, 0.5}, {1, 0.5}});
  REQUIRE(equal);
  CHECK(equal->straggler.rank == 0);
  CHECK(equal->straggler.ratio == 1);
  CHECK_FALSE(equal->is_noteworthy());
  const auto tie = report_of({{1, 0}, {3, 0}, {1, 0}, {3, 0}});
  REQUIRE(tie);
  CHECK(tie->straggler.rank == 1);
  CHECK(report_of({{1, 0}, {1.1, 0}, {1, 0}})->is_noteworthy());
  CHECK_FALSE(report_of({{1, 0}, {1.09, 0}, {1, 0}})->is_noteworthy());
}

TEST_CASE("stragglers: no report where there is nothing to compare") {
  CHECK_FALSE(report_of({{1, 1}}));
  CHECK_FALSE(report_of({{0, 0}, {0, 0}, {0, 0}}));
  CHECK_FALSE(report_of({{0, 0}, {0, 0}, {5, 0}}));
  CHECK_FALSE(report_of({{kMissing, 1}, {1, 1}}));
  CHECK_FALSE(report_of({{kMissing, kMissing}, {kMissing, kMissing}}));
}

TEST_CASE("stragglers: a round of steps is averaged, gaps left out, and forgotten") {
  StragglerWatch watch(3, 3);
  const auto add = [&watch](std::vector<RankTimes> times) { return watch.add(times); };
  for (int round = 0; round < 3; ++round) {
    CHECK_FALSE(add({{4, 0}, {1, 0}, {1, 0}}));
    CHECK_FALSE(add({{1, 0}, {4, 0}, {1, 0}}));
    const auto even = add({{1, 0}, {1, 0}, {4, 0}});
    REQUIRE(even);
    CHECK(even->straggler.ratio == 1);  // slow in turns
  }
  CHECK_FALSE(add({{2, 0}, {kMissing, 0}, {1, 0}}));
  CHECK_FALSE(add({{2, 0}, {1, -1}, {1, 0}}));
  const auto gaps = add({{2, std::numeric_limits<double>::infinity()}, {3, 1}, {1, 0}});
  REQUIRE(gaps);
  CHECK(gaps->num_ranks == 3);
  CHECK(gaps->straggler.rank == 1);
  CHECK(gaps->straggler.ratio == Approx(4.0 / 2));
  CHECK_FALSE(add({{1, 0}, {1, 0}, {9, 0}}));
  CHECK_FALSE(add({{1, 0}, {kMissing, 0}, {9, 0}}));
  const auto slow = add({{kMissing, 0}, {1, 0}, {9, 0}});
  REQUIRE(slow);
  CHECK(slow->straggler.rank == 2);
  CHECK(slow->straggler.ratio == Approx(9));
}

TEST_CASE("stragglers: a rank that gave no times at all does not shift the numbers of the others") {
  const auto report = report_of({{kMissing, kMissing}, {1, 0}, {1, 0}, {1, 3}});
  REQUIRE(report);
  CHECK(report->straggler.rank == 3);
  CHECK(report->num_ranks == 3);
  CHECK(report->straggler.reason == "data");
}

TEST_CASE("stragglers: every rank has a place, every watch a number of ranks and steps") {
  StragglerWatch watch(2, 1);
  const std::vector<RankTimes> one = {{1, 1}};
  CHECK_THROWS_AS(watch.add(one), InternalError);
  CHECK_THROWS_AS(StragglerWatch(0, 1), InternalError);
  CHECK_THROWS_AS(StragglerWatch(1, 0), InternalError);
}
