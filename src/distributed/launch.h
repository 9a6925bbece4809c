// Which rank this process is and where the others meet, from what a launcher left in the
// environment.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace vllama::distributed {

struct Launch {
  std::string launcher = "none";                     // "torchrun", "Slurm", "Open MPI", ...
  std::int64_t rank = 0, num_ranks = 1;              // in the run
  std::int64_t local_rank = 0, num_local_ranks = 1;  // on this machine
  std::string master_address = "127.0.0.1";          // of the store through which the ranks meet
  std::uint16_t master_port = 0;
  bool launcher_keeps_store = false;  // else rank 0 does
  std::int64_t attempt = 0;           // restarts of the whole run so far
};

// The value of an environment variable, or nothing.
using Environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> process_environment(const char* name);

// Reads, in this order, the variables of torchrun (RANK, WORLD_SIZE, ..., which also serve
// launchers of one's own), of srun, of Open MPI, and of MPICH's and Intel's Hydra; none of them
// means one process. In a Slurm job only srun's own variables count: a batch script is one process.
// Throws UserError naming variables that are missing beside others of their set, which it names
// too, are no numbers, or contradict each other.
Launch read_launch(const Environment& environment = process_environment);

}  // namespace vllama::distributed
