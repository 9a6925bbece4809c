#include "distributed/meeting.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "core/error.h"

namespace vllama::distributed {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kNumRanksKey = "ranks";
constexpr const char* kMisfit = "misfit";  // why the processes that came cannot be a run
constexpr const char* kStart = "start";    // what is wrong, said by rank 0 once all have come
// What others wait longer than rank 0, which tells them how it went.
constexpr double kAnswerSeconds = 8;

[[noreturn]] void refuse_to_join(Store& store, const std::string& reason) {
  store.set(kMisfit, reason);
  throw UserError(reason);
}

// On rank 0: waits for all others; what is wrong with them.
std::string missing_or_misfit(Store& store, const Launch& launch, double timeout_seconds) {
  constexpr double kSliceSeconds = 0.5;
  const auto end = Clock::now() + std::chrono::duration<double>(timeout_seconds);
  std::vector<std::int64_t> missing;
  for (std::int64_t rank = 0; rank < launch.num_ranks; ++rank) {
    bool is_there = false;
    double left = timeout_seconds;
    while (!is_there && left > 0) {
      left = std::chrono::duration<double>(end - Clock::now()).count();
      is_there = store.wait(fmt::format("status/{}", rank), std::clamp(left, 0.01, kSliceSeconds));
      if (const auto misfit = store.find(kMisfit)) return *misfit;
    }
    if (!is_there) missing.push_back(rank);
  }
  if (missing.empty()) return {};
  return fmt::format(
      "of {} ranks, these did not start within {} s: {}; look at their output, or raise "
      "distributed.join_timeout_seconds",
      launch.num_ranks, timeout_seconds, fmt::join(missing, ", "));
}

void compare_num_ranks(Store& store, const Launch& launch, const std::string& place,
                       double timeout_seconds) {
  if (launch.rank == 0) return store.set(kNumRanksKey, std::to_string(launch.num_ranks));
  if (!store.wait(kNumRanksKey, timeout_seconds))
    throw UserError(fmt::format("rank {}: rank 0 did not come to the store of the run within {} s",
                                launch.rank, timeout_seconds));
  const std::string num_ranks = store.find(kNumRanksKey).value_or("");
  if (num_ranks != std::to_string(launch.num_ranks))
    refuse_to_join(store, fmt::format("{} was told of {} ranks, rank 0 of {}; start all with the "
                                      "same launcher",
                                      place, launch.num_ranks, num_ranks));
}

}  // namespace

void check_in(Store& store, const Launch& launch, const std::string& place,
              double timeout_seconds) {
  const std::string key = fmt::format("claims/{}", launch.rank);
  if (store.add(key, 1) > 1) {
    const auto first = store.find(key + "/first");
    refuse_to_join(
        store, fmt::format("{} is the second process that claims this rank at {}:{}{}; start every "
                           "rank once, and give each run a MASTER_PORT of its own",
                           place, launch.master_address, launch.master_port,
                           first ? "; the first one is " + *first : ""));
  }
  store.set(key + "/first", place);
  compare_num_ranks(store, launch, place, timeout_seconds);
}

void meet(Store& store, const Launch& launch, double timeout_seconds) {
  std::string problem;
  if (launch.rank == 0) {
    problem = missing_or_misfit(store, launch, timeout_seconds);
    store.set(kStart, problem);
    if (!problem.empty()) std::this_thread::sleep_for(kLingerTime);
  } else if (store.wait(kStart, timeout_seconds + kAnswerSeconds)) {
    problem = store.find(kStart).value_or("");
  } else {
    problem = fmt::format("rank {}: rank 0 did not start the run within {} s", launch.rank,
                          timeout_seconds);
  }
  if (!problem.empty()) throw UserError(problem);
}

}  // namespace vllama::distributed
