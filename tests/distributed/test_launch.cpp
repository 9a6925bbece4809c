#include <catch2/catch.hpp>
#include <map>

#include "core/error.h"
#include "distributed/launch.h"
#include "distributed/node_list.h"

using namespace vllama;
using Catch::Contains;
using distributed::Launch;

namespace {

Launch launch_in(const std::map<std::string, std::string>& variables) {
  return distributed::read_launch([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

// What srun sets for task 5 of 7, on the second of two nodes.
const std::map<std::string, std::string> kSlurm{{"SLURM_JOB_ID", "4711"},
                                                {"SLURM_STEP_ID", "0"},
                                                {"SLURM_PROCID", "5"},
                                                {"SLURM_STEP_NUM_TASKS", "7"},
                                                {"SLURM_LOCALID", "1"},
                                                {"SLURM_NODEID", "1"},
                                                {"SLURM_STEP_NODELIST", "gpu[03-04]"},
                                                {"SLURM_STEP_TASKS_PER_NODE", "4,3"}};

std::map<std::string, std::string> with(std::map<std::string, std::string> variables,
                                        const std::map<std::string, std::string>& more) {
  for (const auto& [name, value] : more) variables[name] = value;
  return variables;
}

}  // namespace

TEST_CASE("launch: nothing in the environment is one process") {
  const Launch launch = launch_in({});
  CHECK(launch.num_ranks == 1);
  CHECK(launch.rank == 0);
}

TEST_CASE("launch: torchrun's variables") {
  const Launch launch = launch_in({{"RANK", "3"},
                                   {"WORLD_SIZE", "8"},
                                   {"LOCAL_RANK", "1"},
                                   {"LOCAL_WORLD_SIZE", "2"},
                                   {"MASTER_ADDR", "node7"},
                                   {"MASTER_PORT", "29400"},
                                   {"TORCHELASTIC_RUN_ID", "none"},
                                   {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                                   {"TORCHELASTIC_RESTART_COUNT", "2"}});
  CHECK(launch.launcher == "torchrun");
  CHECK(launch.rank == 3);
  CHECK(launch.num_ranks == 8);
  CHECK(launch.local_rank == 1);
  CHECK(launch.num_local_ranks == 2);
  CHECK(launch.master_address == "node7");
  CHECK(launch.master_port == 29400);
  CHECK(launch.launcher_keeps_store);
  CHECK(launch.attempt == 2);
}

TEST_CASE("launch: srun's variables, the master being the first node of the step") {
  const Launch launch = launch_in(kSlurm);
  CHECK(launch.launcher == "Slurm");
  CHECK(launch.rank == 5);
  CHECK(launch.num_ranks == 7);
  CHECK(launch.local_rank == 1);
  CHECK(launch.num_local_ranks == 3);
  CHECK(launch.master_address == "gpu03");
  CHECK(launch.master_port >= 20000);
  CHECK_FALSE(launch.launcher_keeps_store);
  CHECK(launch_in(with(kSlurm, {{"SLURM_JOB_ID", "4712"}})).master_port != launch.master_port);
  CHECK(launch_in(with(kSlurm, {{"MASTER_ADDR", "10.0.0.1"}})).master_address == "10.0.0.1");
  // srun may set Hydra's variables as well, without the local ones.
  CHECK(launch_in(with(kSlurm, {{"PMI_RANK", "5"}, {"PMI_SIZE", "7"}})).num_local_ranks == 3);
}

TEST_CASE("launch: a batch script of Slurm is one process, and so is a shell of salloc") {
  CHECK(
      launch_in({{"SLURM_JOB_ID", "1"}, {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "16"}}).num_ranks ==
      1);
  CHECK(launch_in({{"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_PROCID", "0"}, {"SLURM_LOCALID", "0"}})
            .num_ranks == 1);
}

TEST_CASE("launch: MPI launchers") {
  const std::map<std::string, std::string> open_mpi{{"OMPI_COMM_WORLD_RANK", "1"},
                                                    {"OMPI_COMM_WORLD_SIZE", "4"},
                                                    {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                                                    {"OMPI_COMM_WORLD_LOCAL_SIZE", "4"}};
  CHECK(launch_in(open_mpi).rank == 1);
  CHECK(launch_in(open_mpi).master_address == "127.0.0.1");
  CHECK_THROWS_WITH(launch_in(with(open_mpi, {{"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}})),
                    Contains("MASTER_ADDR is not set"));
  // mpirun starts its helpers with srun, whose numbers are then theirs.
  CHECK(launch_in(with(kSlurm, with(open_mpi, {}))).launcher == "Open MPI");
  const Launch hydra = launch_in(
      {{"PMI_RANK", "2"}, {"PMI_SIZE", "4"}, {"MPI_LOCALRANKID", "2"}, {"MPI_LOCALNRANKS", "4"}});
  CHECK(hydra.launcher == "MPICH");
  CHECK(hydra.local_rank == 2);
}

TEST_CASE("launch: torchrun's workers inside srun are torchrun's") {
  const auto variables = with(kSlurm, {{"RANK", "0"},
                                       {"WORLD_SIZE", "2"},
                                       {"MASTER_ADDR", "gpu03"},
                                       {"MASTER_PORT", "29500"},
                                       {"TORCHELASTIC_RUN_ID", "x"}});
  CHECK(launch_in(variables).num_ranks == 2);
}

TEST_CASE("launch: what contradicts itself or is missing is refused, saying what to change") {
  const std::map<std::string, std::string> by_hand{
      {"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "29500"}};
  CHECK(launch_in(by_hand).num_ranks == 2);
  CHECK_THROWS_WITH(launch_in(with(by_hand, {{"RANK", "2"}})), Contains("rank 2 of 2 ranks"));
  CHECK_THROWS_WITH(launch_in(with(by_hand, {{"RANK", "one"}})), Contains("'one', not a number"));
  CHECK_THROWS_WITH(launch_in(with(by_hand, {{"RANK", "-1"}})), Contains("not a number"));
  CHECK_THROWS_WITH(launch_in(with(by_hand, {{"WORLD_SIZE", "0"}})), Contains("no ranks"));
  CHECK_THROWS_WITH(launch_in(with(by_hand, {{"MASTER_PORT", "70000"}})), Contains("65535"));
  CHECK_THROWS_WITH(launch_in(with(by_hand, {{"LOCAL_RANK", "2"}, {"LOCAL_WORLD_SIZE", "2"}})),
                    Contains("rank 2 of the 2 on this machine"));
  CHECK_THROWS_WITH(launch_in(with(by_hand, {{"LOCAL_WORLD_SIZE", "3"}})),
                    Contains("3 ranks on this machine of 2"));
  CHECK_THROWS_WITH(launch_in(with(kSlurm, by_hand)),
                    Contains("RANK and WORLD_SIZE say rank 0 of 2, Slurm says rank 5 of 7"));
}

TEST_CASE("launch: of a set that is there in part, what is missing is named, and what there is") {
  const auto expect = [](const std::map<std::string, std::string>& variables,
                         const std::string& there, const std::string& missing,
                         const std::string& unset) {
    INFO(there << " without " << missing);
    CHECK_THROWS_WITH(launch_in(variables), Contains("the environment has " + there + ", as") &&
                                                Contains("but not " + missing) &&
                                                Catch::EndsWith("unset " + unset));
  };
  expect({{"RANK", "0"}}, "RANK=0", "WORLD_SIZE (the number of processes)", "RANK");
  expect({{"WORLD_SIZE", "2"}}, "WORLD_SIZE=2", "RANK (the number of this process", "WORLD_SIZE");
  expect({{"RANK", "0"}, {"WORLD_SIZE", "2"}}, "RANK=0, WORLD_SIZE=2",
         "MASTER_ADDR (the host of rank 0), MASTER_PORT (a port", "RANK WORLD_SIZE");
  expect({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"LOCAL_RANK", "0"}, {"MASTER_ADDR", "a"}},
         "RANK=0, WORLD_SIZE=2, LOCAL_RANK=0, MASTER_ADDR=a", "MASTER_PORT",
         "RANK WORLD_SIZE LOCAL_RANK MASTER_ADDR");
  expect({{"RANK", "5"},
          {"WORLD_SIZE", "8"},
          {"LOCAL_WORLD_SIZE", "4"},
          {"MASTER_ADDR", "a"},
          {"MASTER_PORT", "1"}},
         "RANK=5, WORLD_SIZE=8, LOCAL_WORLD_SIZE=4, MASTER_ADDR=a, MASTER_PORT=1",
         "LOCAL_RANK (the number of this process on its machine",
         "RANK WORLD_SIZE LOCAL_WORLD_SIZE MASTER_ADDR MASTER_PORT");
  // Such processes would each take itself for the only one.
  expect({{"LOCAL_RANK", "1"}}, "LOCAL_RANK=1", "RANK", "LOCAL_RANK");
  expect({{"TORCHELASTIC_RUN_ID", "x"}, {"MASTER_ADDR", "a"}},
         "MASTER_ADDR=a, TORCHELASTIC_RUN_ID=x", "RANK", "MASTER_ADDR TORCHELASTIC_RUN_ID");
  expect({{"OMPI_COMM_WORLD_SIZE", "4"}}, "OMPI_COMM_WORLD_SIZE=4", "OMPI_COMM_WORLD_RANK",
         "OMPI_COMM_WORLD_SIZE");
  expect({{"PMI_SIZE", "4"}}, "PMI_SIZE=4", "PMI_RANK", "PMI_SIZE");
  expect({{"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_PROCID", "0"}},
         "SLURM_PROCID=0, SLURM_STEP_NUM_TASKS=2", "SLURM_LOCALID",
         "SLURM_PROCID SLURM_STEP_NUM_TASKS");
  for (const char* name : {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID",
                           "SLURM_STEP_TASKS_PER_NODE", "SLURM_NODEID", "SLURM_STEP_NODELIST"}) {
    auto variables = kSlurm;
    variables.erase(name);
    CHECK_THROWS_WITH(launch_in(variables), Contains("as srun sets them") &&
                                                Contains(std::string("but not ") + name + " (") &&
                                                !Contains("RANK"));
  }
  // Alone they say nothing: they are often exported for the ranks to come.
  CHECK(launch_in({{"MASTER_ADDR", "a"}, {"MASTER_PORT", "29500"}}).num_ranks == 1);
  CHECK(launch_in(with(kSlurm, {{"LOCAL_RANK", "1"}})).launcher == "Slurm");
}

TEST_CASE("launch: contradictions name the variables") {
  const std::map<std::string, std::string> by_hand{
      {"RANK", "2"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "29500"}};
  CHECK_THROWS_WITH(launch_in(by_hand), Contains("(RANK, WORLD_SIZE): rank 2 of 2 ranks"));
  CHECK_THROWS_WITH(launch_in(with(kSlurm, {{"SLURM_PROCID", "7"}})),
                    Contains("(SLURM_PROCID, SLURM_STEP_NUM_TASKS): rank 7 of 7"));
  CHECK_THROWS_WITH(launch_in(with(kSlurm, {{"SLURM_LOCALID", "3"}})),
                    Contains("(SLURM_LOCALID, SLURM_STEP_TASKS_PER_NODE): rank 3 of the 3"));
}

TEST_CASE("launch: lists of nodes and of tasks per node") {
  using distributed::first_node, distributed::tasks_of_node;
  CHECK(first_node("login1") == "login1");
  CHECK(first_node("gpu3,gpu5") == "gpu3");
  CHECK(first_node("gpu[03-07,12]") == "gpu03");
  CHECK(first_node("gpu[7,9]-ib,other[1-2]") == "gpu7-ib");
  CHECK(first_node("rack[0-1]node[4-7]") == "rack0node4");
  CHECK(first_node("n[1]") == "n1");
  CHECK_THROWS_AS(first_node(""), UserError);
  CHECK_THROWS_AS(first_node("gpu[03"), UserError);
  CHECK(tasks_of_node("8", 0) == 8);
  CHECK(tasks_of_node("4(x2),3", 1) == 4);
  CHECK(tasks_of_node("4(x2),3", 2) == 3);
  CHECK_THROWS_AS(tasks_of_node("4(x2),3", 3), UserError);
  for (const char* text : {"", "x", "4(x", "4(xx)", "(x2)", "4,,3", "-1"})
    CHECK_THROWS_AS(tasks_of_node(text, 1), UserError);
}
