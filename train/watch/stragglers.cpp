#include "train/watch/stragglers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "train/watch/median.h"

namespace vllama::train {
namespace {

bool is_time(double seconds) {
  return std::isfinite(seconds) && seconds >= 0;
}

// Which part of the excess over the medians is waiting for data. Where the slowest rank is below
// the median in one of the two, the other is all of it.
double data_share(double data_excess, double compute_excess) {
  data_excess = std::max(data_excess, 0.0);
  compute_excess = std::max(compute_excess, 0.0);
  const double excess = data_excess + compute_excess;
  return excess > 0 ? data_excess / excess : 0;
}

}  // namespace

std::string StragglerReport::text() const {
  return fmt::format(
      "rank {} holds up the others: {:.3g} s per step, {:.2f} times the median of {} ranks; "
      "{:.0f}% "
      "of the excess is {} (compute {:.3g} s, median {:.3g} s; wait for data {:.3g} s, median "
      "{:.3g} s)",
      straggler.rank, seconds, straggler.ratio, num_ranks,
      100 * (straggler.reason == "data" ? data_share_of_excess : 1 - data_share_of_excess),
      straggler.reason == "data" ? "waiting for data" : "compute", compute_seconds,
      median_compute_seconds, data_wait_seconds, median_data_wait_seconds);
}

StragglerWatch::StragglerWatch(std::int64_t num_ranks, std::int64_t every_steps)
    : every_steps_(every_steps), sums_(static_cast<std::size_t>(num_ranks)) {
  VLLAMA_ASSERT(num_ranks >= 1 && every_steps >= 1, "some ranks, some steps");
}

std::optional<StragglerReport> StragglerWatch::add(std::span<const RankTimes> times) {
  VLLAMA_ASSERT(times.size() == sums_.size(), "every rank has its place");
  for (std::size_t rank = 0; rank < sums_.size(); ++rank) {
    if (!is_time(times[rank].compute_seconds) || !is_time(times[rank].data_wait_seconds)) continue;
    sums_[rank].compute_seconds += times[rank].compute_seconds;
    sums_[rank].data_wait_seconds += times[rank].data_wait_seconds;
    ++sums_[rank].num_steps;
  }
  if (++num_steps_ < every_steps_) return std::nullopt;
  auto result = report();
  num_steps_ = 0;
  std::ranges::fill(sums_, Sum());
  return result;
}

std::optional<StragglerReport> StragglerWatch::report() const {
  std::vector<double> computes, waits, totals;
  std::size_t slowest = 0;  // among those that gave times
  StragglerReport report;
  for (std::size_t rank = 0; rank < sums_.size(); ++rank) {
    const Sum& sum = sums_[rank];
    if (sum.num_steps == 0) continue;
    const auto num_steps = static_cast<double>(sum.num_steps);
    computes.push_back(sum.compute_seconds / num_steps);
    waits.push_back(sum.data_wait_seconds / num_steps);
    totals.push_back(computes.back() + waits.back());
    if (totals.size() > 1 && totals.back() <= totals[slowest]) continue;
    slowest = totals.size() - 1;
    report.straggler.rank = static_cast<std::int64_t>(rank);
  }
  if (totals.size() < 2) return std::nullopt;
  report.num_ranks = static_cast<std::int64_t>(totals.size());
  report.seconds = totals[slowest];
  report.median_seconds = median(totals);
  if (!(report.median_seconds > 0)) return std::nullopt;
  report.compute_seconds = computes[slowest];
  report.median_compute_seconds = median(computes);
  report.data_wait_seconds = waits[slowest];
  report.median_data_wait_seconds = median(waits);
  report.data_share_of_excess =
      data_share(report.data_wait_seconds - report.median_data_wait_seconds,
                 report.compute_seconds - report.median_compute_seconds);
  report.straggler.ratio = report.seconds / report.median_seconds;
  report.straggler.reason = report.data_share_of_excess > 0.5 ? "data" : "compute";
  return report;
}

}  // namespace vllama::train
