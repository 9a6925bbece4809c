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

constexpr const char* kStart = "start";
// What others wait longer than rank 0, which tells them how it went.
constexpr double kAnswerSeconds = 8;

// On rank 0.
void gather_all(Store& store, const Launch& launch, double timeout_seconds) {
  const auto end = Clock::now() + std::chrono::duration<double>(timeout_seconds);
  std::vector<std::int64_t> missing;
  for (std::int64_t rank = 0; rank < launch.num_ranks; ++rank) {
    const double left = std::chrono::duration<double>(end - Clock::now()).count();
    if (!store.wait(fmt::format("status/{}", rank), std::max(left, 0.01))) missing.push_back(rank);
  }
  if (!missing.empty()) {
    const std::string problem = fmt::format(
        "of {} ranks, these did not start within {} s: {}; look at their output, or "
        "raise distributed.join_timeout_seconds",
        launch.num_ranks, timeout_seconds, fmt::join(missing, ", "));
    store.set(kStart, problem);
    std::this_thread::sleep_for(kLingerTime);
    throw UserError(problem);
  }
  store.set(kStart, std::to_string(launch.num_ranks));
}

}  // namespace

void claim_rank(Store& store, const Launch& launch, const std::string& place) {
  const std::int64_t num_claims = store.add(fmt::format("claims/{}", launch.rank), 1);
  if (num_claims == 1) return;
  const auto other = store.find(fmt::format("status/{}", launch.rank));
  throw UserError(fmt::format(
      "{} is the second process that claims this rank at {}:{}{}; start every rank once, and give "
      "each run a MASTER_PORT of its own",
      place, launch.master_address, launch.master_port,
      other ? "; the first one says " + *other : ""));
}

void meet(Store& store, const Launch& launch, double timeout_seconds) {
  if (launch.rank == 0) return gather_all(store, launch, timeout_seconds);
  if (!store.wait(kStart, timeout_seconds + kAnswerSeconds))
    throw UserError(fmt::format("rank {}: rank 0 did not start the run within {} s", launch.rank,
                                timeout_seconds));
  const std::string start = store.find(kStart).value_or("");
  if (start.find(' ') != std::string::npos) throw UserError(start);
  if (start != std::to_string(launch.num_ranks))
    throw UserError(
        fmt::format("rank {} was told of {} ranks, rank 0 of {}; start all with the "
                    "same launcher",
                    launch.rank, launch.num_ranks, start));
}

}  // namespace vllama::distributed
