#include "distributed/launch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <vector>

#include "core/error.h"
#include "distributed/node_list.h"

namespace vllama::distributed {
namespace {

constexpr std::uint16_t kUsualPort = 29500;  // torchrun's
constexpr const char* kTorchrun = "torchrun";

struct Variable {
  const char *name, *meaning;
};

// What one launcher tells its processes: rank, number of ranks, local rank, number of local ranks,
// and then what else there is.
struct VariableSet {
  const char* launcher;
  std::vector<Variable> variables;

  const char* rank() const { return variables[0].name; }
  const char* num_ranks() const { return variables[1].name; }
  const char* local_rank() const { return variables[2].name; }
  const char* num_local_ranks() const { return variables[3].name; }
};

constexpr const char *kRank = "the number of this process, from 0",
                     *kNumRanks = "the number of processes",
                     *kLocalRank = "the number of this process on its machine, from 0",
                     *kNumLocalRanks = "the number of processes on this machine";

const VariableSet kTorchrunSet{"torchrun or a launch script",
                               {{"RANK", kRank},
                                {"WORLD_SIZE", kNumRanks},
                                {"LOCAL_RANK", kLocalRank},
                                {"LOCAL_WORLD_SIZE", kNumLocalRanks},
                                {"MASTER_ADDR", "the host of rank 0"},
                                {"MASTER_PORT", "a port that is free there"},
                                {"TORCHELASTIC_RUN_ID", "torchrun's name of the run"}}};
const VariableSet kSlurmSet{"srun",
                            {{"SLURM_PROCID", kRank},
                             {"SLURM_STEP_NUM_TASKS", kNumRanks},
                             {"SLURM_LOCALID", kLocalRank},
                             {"SLURM_STEP_TASKS_PER_NODE", "processes on each node, as 8(x2)"},
                             {"SLURM_NODEID", "the number of this node in the step, from 0"},
                             {"SLURM_STEP_NODELIST", "the nodes of the step"}}};
const VariableSet kOpenMpiSet{"Open MPI",
                              {{"OMPI_COMM_WORLD_RANK", kRank},
                               {"OMPI_COMM_WORLD_SIZE", kNumRanks},
                               {"OMPI_COMM_WORLD_LOCAL_RANK", kLocalRank},
                               {"OMPI_COMM_WORLD_LOCAL_SIZE", kNumLocalRanks}}};
// Of MPICH and Intel MPI.
const VariableSet kHydraSet{"MPICH",
                            {{"PMI_RANK", kRank},
                             {"PMI_SIZE", kNumRanks},
                             {"MPI_LOCALRANKID", kLocalRank},
                             {"MPI_LOCALNRANKS", kNumLocalRanks}}};

class Variables {
 public:
  explicit Variables(const Environment& environment) : environment_(environment) {}

  bool has(const char* name) const { return environment_(name).has_value(); }
  bool has_any(const VariableSet& set) const {
    return std::ranges::any_of(set.variables,
                               [this](const Variable& variable) { return has(variable.name); });
  }

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

  // Throws UserError if one of `needed`, which are of the set, is not there: names those that are
  // missing and what to set them to, and those of the set that are there and would have to go.
  void require(const VariableSet& set, const std::vector<const char*>& needed) const {
    std::vector<std::string> missing, present, names;
    for (const Variable& variable : set.variables) {
      if (has(variable.name)) {
        names.emplace_back(variable.name);
        present.push_back(fmt::format("{}={}", variable.name, text(variable.name, "")));
      } else if (std::ranges::find(needed, std::string_view(variable.name)) != needed.end()) {
        missing.push_back(fmt::format("{} ({})", variable.name, variable.meaning));
      }
    }
    if (!missing.empty())
      throw UserError(fmt::format(
          "the environment has {}, as {} sets {}, but not {}; set what is missing, or run one "
          "process after: unset {}",
          fmt::join(present, ", "), set.launcher, present.size() == 1 ? "it" : "them",
          fmt::join(missing, ", "), fmt::join(names, " ")));
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

void check(const Launch& launch, const VariableSet& set) {
  const auto refuse = [&](const std::string& problem, const char* first, const char* second) {
    throw UserError(fmt::format("the environment of {} contradicts itself ({}, {}): {}",
                                launch.launcher, first, second, problem));
  };
  if (launch.num_ranks < 1) refuse("it has no ranks", set.rank(), set.num_ranks());
  if (launch.rank >= launch.num_ranks)
    refuse(
        fmt::format("rank {} of {} ranks; they are numbered from 0", launch.rank, launch.num_ranks),
        set.rank(), set.num_ranks());
  if (launch.num_local_ranks < 1 || launch.num_local_ranks > launch.num_ranks)
    refuse(fmt::format("{} ranks on this machine of {} in all", launch.num_local_ranks,
                       launch.num_ranks),
           set.num_local_ranks(), set.num_ranks());
  if (launch.local_rank >= launch.num_local_ranks)
    refuse(fmt::format("rank {} of the {} on this machine; they are numbered from 0",
                       launch.local_rank, launch.num_local_ranks),
           set.local_rank(), set.num_local_ranks());
}

Launch read_torchrun(const Variables& variables) {
  variables.require(kTorchrunSet, {"RANK", "WORLD_SIZE"});
  Launch launch;
  launch.launcher = variables.has("TORCHELASTIC_RUN_ID") ? kTorchrun : "RANK and WORLD_SIZE";
  launch.rank = variables.number("RANK");
  launch.num_ranks = variables.number("WORLD_SIZE");
  if (launch.num_ranks > 1) variables.require(kTorchrunSet, {"MASTER_ADDR", "MASTER_PORT"});
  launch.num_local_ranks = variables.number("LOCAL_WORLD_SIZE", launch.num_ranks);
  if (launch.num_local_ranks < launch.num_ranks) variables.require(kTorchrunSet, {"LOCAL_RANK"});
  launch.local_rank = variables.number("LOCAL_RANK", launch.rank);
  launch.launcher_keeps_store = variables.text("TORCHELASTIC_USE_AGENT_STORE", "") == "True";
  launch.attempt = variables.number("TORCHELASTIC_RESTART_COUNT", 0);
  check(launch, kTorchrunSet);
  return launch;
}

// A port that other job steps on the same node are unlikely to have.
std::uint16_t port_of_job(std::int64_t job, std::int64_t step) {
  constexpr std::int64_t kFirst = 20000, kNumPorts = 10000, kStepsApart = 16;
  return static_cast<std::uint16_t>(kFirst + (job * kStepsApart + step) % kNumPorts);
}

Launch read_slurm(const Variables& variables) {
  variables.require(kSlurmSet, {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"});
  Launch launch;
  launch.launcher = "Slurm";
  launch.rank = variables.number("SLURM_PROCID");
  launch.num_ranks = variables.number("SLURM_STEP_NUM_TASKS");
  launch.local_rank = variables.number("SLURM_LOCALID");
  launch.attempt = variables.number("SLURM_RESTART_COUNT", 0);
  if (launch.num_ranks != 1) {
    variables.require(kSlurmSet,
                      {"SLURM_STEP_NODELIST", "SLURM_STEP_TASKS_PER_NODE", "SLURM_NODEID"});
    launch.num_local_ranks = tasks_of_node(variables.text("SLURM_STEP_TASKS_PER_NODE", ""),
                                           variables.number("SLURM_NODEID"));
    launch.master_address = first_node(variables.text("SLURM_STEP_NODELIST", ""));
    launch.master_port =
        port_of_job(variables.number("SLURM_JOB_ID", 0), variables.number("SLURM_STEP_ID", 0));
  }
  check(launch, kSlurmSet);
  return launch;
}

// A batch script and a shell of salloc have numbers too, 0 of all, but nothing of a step.
bool is_in_step(const Variables& variables) {
  return variables.has("SLURM_STEP_NUM_TASKS") || variables.has("SLURM_STEP_NODELIST") ||
         variables.has("SLURM_STEP_TASKS_PER_NODE") || variables.text("SLURM_PROCID", "0") != "0";
}

Launch read_mpi(const Variables& variables, const VariableSet& set) {
  variables.require(set, {set.rank(), set.num_ranks()});
  Launch launch;
  launch.launcher = set.launcher;
  launch.rank = variables.number(set.rank());
  launch.num_ranks = variables.number(set.num_ranks());
  launch.num_local_ranks = variables.number(set.num_local_ranks(), launch.num_ranks);
  if (launch.num_local_ranks < launch.num_ranks) variables.require(set, {set.local_rank()});
  launch.local_rank = variables.number(set.local_rank(), launch.rank);
  check(launch, set);
  if (launch.num_local_ranks < launch.num_ranks && !variables.has("MASTER_ADDR"))
    throw UserError(
        fmt::format("{} runs {} of {} ranks on this machine, but MASTER_ADDR is not set; export "
                    "the name of the machine of rank 0 to all ranks",
                    launch.launcher, launch.num_local_ranks, launch.num_ranks));
  return launch;
}

// What srun or an MPI launcher says. mpirun may itself start its helpers with srun, whose numbers
// are then theirs; srun in turn may set the variables of Hydra's protocol, without the local ones.
std::optional<Launch> read_cluster(const Variables& variables) {
  if (variables.has_any(kOpenMpiSet)) return read_mpi(variables, kOpenMpiSet);
  if (!is_in_step(variables)) {
    if (!variables.has_any(kHydraSet)) return std::nullopt;
    return read_mpi(variables, kHydraSet);
  }
  const Launch slurm = read_slurm(variables);
  if (!variables.has(kHydraSet.rank()) || !variables.has(kHydraSet.num_ranks())) return slurm;
  const Launch hydra = read_mpi(variables, kHydraSet);
  return hydra.rank == slurm.rank && hydra.num_ranks == slurm.num_ranks ? slurm : hydra;
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
  // A process among several that is not told which would take itself for the only one.
  if (!found && (variables.has("LOCAL_RANK") || variables.has("LOCAL_WORLD_SIZE") ||
                 variables.has("TORCHELASTIC_RUN_ID")))
    found = read_torchrun(variables);
  if (!found) return {};
  read_meeting_point(variables, *found);
  return *found;
}

}  // namespace vllama::distributed
