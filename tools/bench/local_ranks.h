// A launcher for benchmarks: the running command again, as the ranks of one run on this machine.
#pragma once

#include <cstdint>

namespace vllama::tools {

// Starts this process's own command line `num_ranks` times, with the variables that torchrun sets,
// and waits for all of them. The first that fails takes the others with it; then throws RunFailure.
void run_as_local_ranks(std::int64_t num_ranks);

}  // namespace vllama::tools
