// How the ranks of a run find out that all of them are there, once.
#pragma once

#include <chrono>
#include <string>

#include "distributed/store.h"

namespace vllama::distributed {

// How long the keeper of the store stays to let the others read what it said last.
inline constexpr std::chrono::milliseconds kLingerTime{2500};

// Throws UserError, which meet() then throws on all ranks, if another process has claimed the rank
// of `launch` before (two that claim one number come from two launches with one meeting point), or
// if rank 0 was told another number of ranks. `place` says where this process runs.
void check_in(Store& store, const Launch& launch, const std::string& place, double timeout_seconds);

// Together: waits until every rank has published its status. Throws UserError naming the ranks that
// did not in time, or the one that check_in() refused.
void meet(Store& store, const Launch& launch, double timeout_seconds);

}  // namespace vllama::distributed
