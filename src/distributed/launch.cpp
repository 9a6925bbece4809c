#include "distributed/launch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cstdlib>
#include <vector>

#include "core/error.h"
#include "distributed/node_list.h"

namespace vllama::distributed {
namespace {

constexpr std::uint16_t kUsualPort = 29500;  // torchrun's
constexpr const char* kTorchrun = "torchrun";

class Variables {
 public:
  explicit Variables(const Environment& environment) : environment_(environment) {}

  bool has(const char* name) const { return environment_(name).has_value(); }

  std::string text(const char* name, const std::string& otherwise) const {
    return environment_(name).value_or(otherwise);
  }

  std::int64_t number(const char* name) const {
    const std::string value = environment_(name).value_or("");
    std::int64_t parsed = 0;
    const char* end = value.data() + value.size();
    const auto [at, error] = std::from_chars(value.data(), end, parsed);
    if (error != std::errc() || at != end || parsed < 0)
      throw UserError(
          fmt::format("the environment variable {} is '{}', not a number", name, value));
    return parsed;
  }

  std::int64_t number(const char* name, std::int64_t otherwise) const {
    return has(name) ? number(name) : otherwise;
  }

  // All of them must be set if one is; throws UserError naming those that are not.
  void require(const std::vector<const char*>& names, const std::string& launcher) const {
    std::vector<std::string> missing;
    for (const char* name : names)
      if (!has(name)) missing.emplace_back(name);
    if (!missing.empty())
      throw UserError(
          fmt::format("the environment looks like one of {}, but {} is not set; set it, or unset "
                      "{} to run one process",
                      launcher, fmt::join(missing, " and "), fmt::join(names, ", ")));
  }

 private:
  const Environment& environment_;
};

void read_meeting_point(const Variables& variables, Launch& launch) {
  launch.master_address = variables.text("MASTER_ADDR", launch.master_address);
  const std::int64_t port =
      variables.number("MASTER_PORT", launch.master_port == 0 ? kUsualPort : launch.master_port);
  if (port < 1 || port > 65535)
    throw UserError(fmt::format("MASTER_PORT is {}; a port is between 1 and 65535", port));
  launch.master_port = static_cast<std::uint16_t>(port);
}

Launch read_torchrun(const Variables& variables) {
  variables.require({"RANK", "WORLD_SIZE"}, "torchrun");
  Launch launch;
  launch.launcher = variables.has("TORCHELASTIC_RUN_ID") ? kTorchrun : "RANK and WORLD_SIZE";
  launch.rank = variables.number("RANK");
  launch.num_ranks = variables.number("WORLD_SIZE");
  if (launch.num_ranks > 1) variables.require({"MASTER_ADDR", "MASTER_PORT"}, launch.launcher);
  launch.local_rank = variables.number("LOCAL_RANK", launch.rank);
  launch.num_local_ranks = variables.number("LOCAL_WORLD_SIZE", launch.num_ranks);
  launch.launcher_keeps_store = variables.text("TORCHELASTIC_USE_AGENT_STORE", "") == "True";
  launch.attempt = variables.number("TORCHELASTIC_RESTART_COUNT", 0);
  return launch;
}

// A port that other job steps on the same node are unlikely to have.
std::uint16_t port_of_job(std::int64_t job, std::int64_t step) {
  constexpr std::int64_t kFirst = 20000, kNumPorts = 10000, kStepsApart = 16;
  return static_cast<std::uint16_t>(kFirst + (job * kStepsApart + step) % kNumPorts);
}

Launch read_slurm(const Variables& variables) {
  variables.require({"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"}, "srun");
  Launch launch;
  launch.launcher = "Slurm";
  launch.rank = variables.number("SLURM_PROCID");
  launch.num_ranks = variables.number("SLURM_STEP_NUM_TASKS");
  launch.local_rank = variables.number("SLURM_LOCALID");
  if (launch.num_ranks == 1) return launch;
  variables.require({"SLURM_STEP_NODELIST", "SLURM_STEP_TASKS_PER_NODE", "SLURM_NODEID"}, "srun");
  launch.num_local_ranks = tasks_of_node(variables.text("SLURM_STEP_TASKS_PER_NODE", ""),
                                         variables.number("SLURM_NODEID"));
  launch.master_address = first_node(variables.text("SLURM_STEP_NODELIST", ""));
  launch.master_port =
      port_of_job(variables.number("SLURM_JOB_ID", 0), variables.number("SLURM_STEP_ID", 0));
  launch.attempt = variables.number("SLURM_RESTART_COUNT", 0);
  return launch;
}

// The names under which an MPI launcher tells its processes who they are.
struct MpiNames {
  const char *launcher, *rank, *num_ranks, *local_rank, *num_local_ranks;
};
constexpr MpiNames kOpenMpi{"Open MPI", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                            "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"};
constexpr MpiNames kHydra{"MPICH", "PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"};

Launch read_mpi(const Variables& variables, const MpiNames& names) {
  variables.require({names.rank, names.num_ranks}, names.launcher);
  Launch launch;
  launch.launcher = names.launcher;
  launch.rank = variables.number(names.rank);
  launch.num_ranks = variables.number(names.num_ranks);
  launch.local_rank = variables.number(names.local_rank, launch.rank);
  launch.num_local_ranks = variables.number(names.num_local_ranks, launch.num_ranks);
  if (launch.num_local_ranks < launch.num_ranks && !variables.has("MASTER_ADDR"))
    throw UserError(
        fmt::format("{} runs {} of {} ranks on this machine, but MASTER_ADDR is not set; export "
                    "the name of the machine of rank 0 to all ranks",
                    launch.launcher, launch.num_local_ranks, launch.num_ranks));
  return launch;
}

void check(const Launch& launch) {
  const auto refuse = [&](const std::string& problem) {
    throw UserError(
        fmt::format("the environment of {} contradicts itself: {}", launch.launcher, problem));
  };
  if (launch.num_ranks < 1) refuse("it has no ranks");
  if (launch.rank >= launch.num_ranks)
    refuse(fmt::format("rank {} of {} ranks; they are numbered from 0", launch.rank,
                       launch.num_ranks));
  if (launch.num_local_ranks < 1 || launch.num_local_ranks > launch.num_ranks)
    refuse(fmt::format("{} ranks on this machine of {} in all", launch.num_local_ranks,
                       launch.num_ranks));
  if (launch.local_rank >= launch.num_local_ranks)
    refuse(fmt::format("rank {} of the {} on this machine; they are numbered from 0",
                       launch.local_rank, launch.num_local_ranks));
}

// What srun or an MPI launcher says. mpirun may itself start its helpers with srun, whose numbers
// are then theirs; srun in turn may set the variables of Hydra's protocol, without the local ones.
std::optional<Launch> read_cluster(const Variables& variables) {
  if (variables.has(kOpenMpi.rank)) return read_mpi(variables, kOpenMpi);
  std::optional<Launch> hydra;
  if (variables.has(kHydra.rank)) hydra = read_mpi(variables, kHydra);
  if (!variables.has("SLURM_STEP_NUM_TASKS")) return hydra;
  const Launch slurm = read_slurm(variables);
  const bool is_slurm =
      !hydra || (hydra->rank == slurm.rank && hydra->num_ranks == slurm.num_ranks);
  return is_slurm ? slurm : *hydra;
}

void check_agreement(const Launch& by_hand, const Launch& cluster) {
  const bool agree = by_hand.rank == cluster.rank && by_hand.num_ranks == cluster.num_ranks;
  if (agree || cluster.num_ranks == 1) return;
  throw UserError(fmt::format(
      "two launchers contradict each other: {} say rank {} of {}, {} says rank {} of {}; unset the "
      "variables of one of them",
      by_hand.launcher, by_hand.rank, by_hand.num_ranks, cluster.launcher, cluster.rank,
      cluster.num_ranks));
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

Launch read_launch(const Environment& environment) {
  const Variables variables(environment);
  std::optional<Launch> found;
  if (variables.has("RANK") || variables.has("WORLD_SIZE")) found = read_torchrun(variables);
  // torchrun's agents may be started by srun or mpirun, whose numbers are then those of agents.
  if (!found || found->launcher != kTorchrun) {
    const auto cluster = read_cluster(variables);
    if (found && cluster) check_agreement(*found, *cluster);
    if (!found) found = cluster;
  }
  if (!found) return {};
  read_meeting_point(variables, *found);
  check(*found);
  return *found;
}

}  // namespace vllama::distributed
