// Ranks started by a launcher: tools/launch.sh, and torchrun where there is one.
#include <fmt/format.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "core/files.h"
#include "tests/operations/long_run.h"
#include "tests/support/ranks.h"

using namespace vllama;
using Catch::Contains;
using Catch::Matches;
namespace fs = std::filesystem;

namespace {

const std::string kLaunch = fs::absolute("tools/launch.sh").string();

// A launcher is one process, whose own variables are those of no rank.
class Launched : public test::Ranks {
 public:
  explicit Launched(const std::string& command)
      : Ranks({"env -u RANK -u LOCAL_RANK -u WORLD_SIZE -u LOCAL_WORLD_SIZE -u MASTER_ADDR "
               "-u MASTER_PORT " +
               command}) {}
};

// The processes of vllama that train into a folder, in the order of their ranks.
std::vector<pid_t> ranks_of(const test::LongRun& run) {
  std::map<std::string, pid_t> processes;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const pid_t process = std::atoi(entry.path().filename().c_str());
    std::error_code error;
    if (process <= 0 || fs::read_symlink(entry.path() / "exe", error) != VLLAMA_PROGRAM) continue;
    const auto content = [&](const char* name) {
      std::ifstream file(entry.path() / name);
      return std::string(std::istreambuf_iterator<char>(file), {});
    };
    const std::string variables = content("environ");
    const std::size_t rank = variables.find(std::string(1, '\0') + "RANK=");
    if (content("cmdline").find(run.path("run.yaml").string()) != std::string::npos &&
        rank != std::string::npos)
      processes[variables.substr(rank, 8)] = process;
  }
  std::vector<pid_t> list;
  for (const auto& [rank, process] : processes) list.push_back(process);
  return list;
}

std::string train_undisturbed(const test::LongRun& run, std::int64_t step) {
  const std::string whole = run.path("whole").string();
  for (const auto& outcome :
       test::Ranks(2, run.command("--set output_dir='" + whole + "'")).wait_all(120)) {
    INFO(outcome.output);
    REQUIRE(outcome.status == 0);
  }
  return test::saved_bytes(whole, step);
}

// Runs under a launcher that starts all again after a failure, and kills a rank twice.
void check_comes_back(test::LongRun& run, const std::string& launcher) {
  run.config.training.steps_per_epoch = 80;
  const std::string whole = train_undisturbed(run, 80);
  Launched job(launcher + run.command());
  for (const std::size_t victim : {1, 0}) {
    run.wait_for_step(victim == 1 ? 15 : 40);
    const auto processes = ranks_of(run);
    REQUIRE(processes.size() == 2);
    REQUIRE(::kill(processes[victim], SIGKILL) == 0);
    // Until the metrics are cut back to the checkpoint from which the next attempt goes on.
    if (victim == 1) test::wait_for_text(run.folder() / "log.txt", "resumed from");
  }
  const auto outcome = job.wait(0, 120);
  INFO(outcome.output);
  CHECK(outcome.status == 0);
  CHECK(test::saved_bytes(run.folder(), 80) == whole);
  CHECK(test::losses(run.config).size() == 80);
}

std::string torchrun() {
  const char* named = std::getenv("VLLAMA_TORCHRUN");
  const std::string program = named != nullptr && *named != '\0' ? named : "torchrun";
  const bool is_there =
      std::system(fmt::format("command -v '{}' >/dev/null 2>&1", program).c_str()) == 0;
  if (!is_there)
    std::cout << "SKIPPED " << Catch::getResultCapture().getCurrentTestName()
              << ": no torchrun on the PATH or in VLLAMA_TORCHRUN\n";
  return is_there ? program : "";
}

}  // namespace

TEST_CASE("launch.sh: numbers the ranks, marks their output, and ends with the first failure") {
  const auto plain = Launched(kLaunch +
                              " 2 sh -c 'echo I am $RANK of $WORLD_SIZE, $LOCAL_RANK of "
                              "$LOCAL_WORLD_SIZE, $MASTER_ADDR'")
                         .wait(0);
  CHECK(plain.status == 0);
  CHECK_THAT(plain.output, Contains("[0] I am 0 of 2, 0 of 2, 127.0.0.1\n") &&
                               Contains("[1] I am 1 of 2, 1 of 2, 127.0.0.1\n"));
  const auto second = Launched("MASTER_ADDR=node0 MASTER_PORT=29500 " + kLaunch +
                               " --nodes 3 --node 1 2 sh -c 'echo $RANK of $WORLD_SIZE'")
                          .wait(0);
  CHECK_THAT(second.output, Contains("[2] 2 of 6\n") && Contains("[3] 3 of 6\n"));

  const auto failing =
      Launched(kLaunch + " --grace 1 2 sh -c '[ $RANK = 1 ] && exit 5; sleep 60'").wait(0, 20);
  CHECK(failing.status == 5);
  CHECK_THAT(failing.output, Contains("rank 1 ended with status 5") &&
                                 Contains("killing what still runs 1 s after the failure"));
  const auto killed =
      Launched(kLaunch + " --restarts 2 2 sh -c '[ $RANK = 0 ] || kill -9 $$'").wait(0, 20);
  CHECK(killed.status == 128 + SIGKILL);
  CHECK_THAT(killed.output, Contains("restart 2 of 2") && !Contains("restart 3"));
  const auto mistaken = Launched(kLaunch + " --restarts 2 2 sh -c 'exit 2'").wait(0);
  CHECK(mistaken.status == 2);
  CHECK_THAT(mistaken.output, !Contains("restart 1"));

  CHECK_THAT(Launched(kLaunch + " --help").wait(0).output, Contains("tools/launch.sh 8 "));
  for (const char* arguments : {"", "2", "two true", "0 true", "--grace x 1 true", "--fast 1 true",
                                "--nodes 2 1 true", "--nodes 2 --node 2 1 true"}) {
    const auto refused = Launched(kLaunch + " " + arguments).wait(0);
    INFO(arguments << ": " << refused.output);
    CHECK(refused.status == 2);
    CHECK_THAT(refused.output, Contains("see launch.sh --help"));
  }
}

TEST_CASE("launch.sh: passes signals on, and the ranks save") {
  test::LongRun run;
  Launched job(kLaunch + " --restarts 3 2 " + run.command());
  run.wait_for_step(5);
  job.signal(0, SIGINT);
  const auto outcome = job.wait(0);
  INFO(outcome.output);
  CHECK(outcome.status == 128 + SIGINT);
  CHECK_THAT(outcome.output, Contains("stopped by signal 2 after saving") &&
                                 Contains("rank 1 ended with status 130") && !Contains("restart"));
}

TEST_CASE("launch.sh: a run whose ranks are killed comes back and ends as if nothing had been") {
  test::LongRun run;
  check_comes_back(run, kLaunch + " --restarts 3 2 ");
}

TEST_CASE("slurm.sh: a job goes back into the queue unless it is done or must be changed") {
  const test::TemporaryFolder folder;
  const auto write_program = [&](const std::string& name, const std::string& text) {
    write_file_atomically(folder.path() / name, "#!/bin/sh\n" + text + "\n");
    fs::permissions(folder.path() / name, fs::perms::owner_all);
  };
  write_program("srun", "echo srun \"$@\"; exit $SRUN_STATUS");
  write_program("scontrol", "echo scontrol \"$@\"");
  const auto run = [&](int status, int num_restarts) {
    return Launched(fmt::format("PATH='{}':\"$PATH\" SLURM_JOB_ID=4711 SLURM_RESTART_COUNT={} "
                                "SRUN_STATUS={} tools/slurm.sh RUN.yaml --set seed=7",
                                folder.path().string(), num_restarts, status))
        .wait(0);
  };
  const auto done = run(0, 0);
  CHECK(done.status == 0);
  CHECK_THAT(done.output, Contains("srun --kill-on-bad-exit=0 --wait=120") &&
                              Contains("vllama train RUN.yaml --set seed=7\n") &&
                              !Contains("scontrol"));
  for (const int status : {1, 137, 138, 143}) {
    CHECK_THAT(run(status, 0).output, Contains("scontrol requeue 4711"));
    const auto last = run(status, 20);
    CHECK(last.status == status);
    CHECK_THAT(last.output, !Contains("scontrol"));
  }
  for (const int status : {2, 130}) {
    const auto stopped = run(status, 0);
    CHECK(stopped.status == status);
    CHECK_THAT(stopped.output, !Contains("scontrol"));
  }
}

TEST_CASE("setup.sh: torchrun is in the venv only where it can start") {
  const test::TemporaryFolder folder;
  const fs::path venv = folder.path() / "venv";
  const auto write_program = [](const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    write_file_atomically(file, "#!/bin/sh\n" + text + "\n");
    fs::permissions(file, fs::perms::owner_all);
  };
  write_program(folder.path() / "bin/dpkg-query", "echo ii");
  write_program(venv / "bin/python", "exit ${IMPORTS_TORCH:-1}");
  write_program(venv / "bin/torchrun", "exit 0");
  write_file_atomically(venv / ".torch-2.11.0-small", "");
  const auto set_up = [&](const std::string& variables) {
    const auto outcome =
        Launched(fmt::format("PATH='{}/bin':\"$PATH\" VLLAMA_VENV='{}' {} tools/setup.sh",
                             folder.path().string(), venv.string(), variables))
            .wait(0);
    INFO(outcome.output);
    CHECK(outcome.status == 0);
    return fs::exists(venv / "bin/torchrun");
  };
  CHECK_FALSE(set_up("VLLAMA_CUDA=OFF"));
  CHECK_FALSE(set_up("VLLAMA_CUDA=OFF"));
  CHECK(set_up("VLLAMA_CUDA=OFF IMPORTS_TORCH=0"));
  CHECK_FALSE(set_up("VLLAMA_CUDA=OFF"));
  write_file_atomically(venv / ".torch-2.11.0-cuda", "");
  CHECK(set_up("VLLAMA_CUDA=ON"));
}

TEST_CASE("torchrun: a run whose ranks are killed comes back and ends as if nothing had been") {
  const std::string program = torchrun();
  if (program.empty()) return;
  test::LongRun run;
  check_comes_back(run, fmt::format("'{}' --no-python --standalone --nproc-per-node 2 "
                                    "--max-restarts 3 -- ",
                                    program));
}
