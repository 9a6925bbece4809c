// Which rank the others wait for, and why.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/record/metrics.h"

namespace vllama::train {

// What one rank did in one step, apart from waiting for other ranks. A time that is not a number,
// infinite or negative is missing.
struct RankTimes {
  double compute_seconds;
  double data_wait_seconds;
};

// Means per step over the steps of the report.
struct StragglerReport {
  Straggler straggler;
  std::int64_t num_ranks = 0;              // that gave times
  double seconds = 0, median_seconds = 0;  // compute and wait for data of the slowest rank; of all
  double data_wait_seconds = 0, median_data_wait_seconds = 0;
  double compute_seconds = 0, median_compute_seconds = 0;
  // The part of what the slowest rank takes more than the median that it waits for data; 0 to 1.
  double data_share_of_excess = 0;

  // Below a tenth more than the median a rank is no straggler, but the slowest of equals.
  bool is_noteworthy() const { return straggler.ratio >= 1.1; }
  // "rank 3 holds up the others: 1.42 s per step, 1.50 times the median of 4 ranks; ..."
  std::string text() const;
};

// Collects the times of all ranks, and reports after every so many steps. A rank's time is its
// compute and its wait for data together, averaged over those steps, so that ranks which are slow
// in turns are no stragglers.
class StragglerWatch {
 public:
  // `every_steps` at least 1.
  StragglerWatch(std::int64_t num_ranks, std::int64_t every_steps);

  // `times` of the ranks in their order, one for each. Returns the report over the last every_steps
  // steps when they are complete; nothing where fewer than two ranks gave times, or half of them
  // took no time. A rank's steps without times are left out of its mean. Of equally slow ranks the
  // first is named.
  std::optional<StragglerReport> add(std::span<const RankTimes> times);

 private:
  struct Sum {
    double compute_seconds = 0, data_wait_seconds = 0;
    std::int64_t num_steps = 0;
  };

  std::optional<StragglerReport> report() const;

  std::int64_t every_steps_;
  std::int64_t num_steps_ = 0;  // since the last report
  std::vector<Sum> sums_;       // by rank
};

}  // namespace vllama::train
