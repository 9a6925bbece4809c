// A rank that is killed, stopped, hangs, fails or is not like the others: all others end soon, with
// status 1, and say which rank it was.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/files.h"
#include "tests/operations/long_run.h"
#include "tests/support/ranks.h"

using namespace vllama;
using Catch::Contains;
using Catch::Matches;
namespace fs = std::filesystem;

namespace {

constexpr double kEndSeconds = 30;  // distributed.* of LongRun, and a busy machine

// The last lines of a rank that gave up, its log, and its record of operations.
void check_report(const test::LongRun& run, std::size_t rank, const test::RankOutcome& outcome,
                  const std::string& culprit) {
  INFO("rank " << rank << ":\n" << outcome.output);
  CHECK(outcome.status == 1);
  const std::string sentence =
      fmt::format("rank {} gave up waiting for other ranks in 'step ", rank);
  CHECK_THAT(outcome.output,
             Contains(sentence) && Contains(": sum of the gradients'") && Contains(culprit + " ("));
  const std::string log = rank == 0 ? "log.txt" : fmt::format("log_rank_{:04}.txt", rank);
  CHECK_THAT(read_file(run.folder() / log), Contains(sentence));

  const auto record = nlohmann::json::parse(
      read_file(run.folder() / fmt::format("flight_record_rank_{:04}.json", rank)));
  CHECK(record.at("rank") == rank);
  CHECK(record.at("ranks") == 3);
  const auto last = record.at("operations").back();
  CHECK_THAT(last.at("operation").get<std::string>(), Matches("step [0-9]+: sum of the gradients"));
  CHECK(last.at("state") == "under way");
  CHECK(record.at("operations").at(record.at("operations").size() - 2).at("state") == "done");
  CHECK(record.at("libtorch").at("entries").size() > 10);
}

// All but the victim name it, and nobody else.
void check_others(const test::LongRun& run, test::Ranks& ranks, std::size_t victim,
                  const std::string& symptom) {
  for (std::size_t rank = 0; rank < 3; ++rank) {
    if (rank == victim) continue;
    const auto outcome = ranks.wait(rank, kEndSeconds);
    check_report(run, rank, outcome, fmt::format("rank {}", victim));
    CHECK_THAT(outcome.output, Contains(symptom));
    for (std::size_t other = 0; other < 3; ++other)
      if (other != victim) CHECK_THAT(outcome.output, !Contains(fmt::format("rank {} (", other)));
  }
}

// Takes the indexes of a folder away and holds their locks, as a process does that makes them.
class IndexesBeingMade {
 public:
  explicit IndexesBeingMade(const fs::path& folder) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() != ".lock") continue;
      const int lock = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
      REQUIRE(::flock(lock, LOCK_EX | LOCK_NB) == 0);
      locks_.push_back(lock);
      fs::remove(fs::path(entry.path()).replace_extension());
    }
    REQUIRE_FALSE(locks_.empty());
  }
  ~IndexesBeingMade() {
    for (const int lock : locks_) ::close(lock);
  }
  IndexesBeingMade(const IndexesBeingMade&) = delete;
  IndexesBeingMade& operator=(const IndexesBeingMade&) = delete;

 private:
  std::vector<int> locks_;
};

}  // namespace

TEST_CASE("failures: the others name a rank that was killed") {
  for (const std::size_t victim : {1, 0}) {
    const test::LongRun run;
    test::Ranks ranks(3, run.command());
    run.wait_for_step(20);
    ranks.signal(victim, SIGKILL);
    check_others(run, ranks, victim,
                 victim == 0 ? "which keeps the store of the run" : "no sign of life for");
  }
}

TEST_CASE("failures: the others name a rank that was stopped") {
  for (const std::size_t victim : {1, 0}) {
    const test::LongRun run;
    test::Ranks ranks(3, run.command());
    run.wait_for_step(20);
    ranks.signal(victim, SIGSTOP);
    check_others(run, ranks, victim, victim == 0 ? "has not answered for" : "no sign of life for");
  }
}

TEST_CASE("failures: a rank that hangs is named, and ends by itself though it hangs") {
  const test::LongRun run;
  test::Ranks ranks(3, run.command());
  run.wait_for_step(20);
  // Stops the thread that trains and no other: the process goes on giving signs of life.
  const pid_t process = ranks.process(1);
  if (::ptrace(PTRACE_SEIZE, process, nullptr, nullptr) != 0) {
    std::cout << "SKIPPED failures: a rank that hangs: this system does not permit tracing\n";
    return;
  }
  REQUIRE(::ptrace(PTRACE_INTERRUPT, process, nullptr, nullptr) == 0);
  int stop = 0;
  REQUIRE(::waitpid(process, &stop, 0) == process);
  REQUIRE(WIFSTOPPED(stop));
  check_others(run, ranks, 1, "is alive, but has been in 'step ");
  const auto hanging = ranks.wait(1, kEndSeconds);
  INFO(hanging.output);
  CHECK(hanging.status == 1);
  CHECK_THAT(hanging.output, Contains("could not end by itself within 14 s") &&
                                 Contains("rank 1 (") && Contains("is alive, but has been in"));
}

TEST_CASE("failures: the store's keeper is stopped while the ranks start") {
  // While rank 1 waits for a text of rank 0, at several points of the start.
  for (const char* seen : {"run", "run/log_rank_0001.txt", "run/config.yaml"}) {
    const test::LongRun run;
    run.make_indexes();  // else rank 1 may wait for the lock of one that rank 0 was making
    test::Ranks ranks(2, run.command());
    test::wait_for_file(run.path(seen));
    ranks.signal(0, SIGSTOP);
    const auto outcome = ranks.wait(1, kEndSeconds);
    INFO(seen << ":\n" << outcome.output);
    CHECK(outcome.status == 1);
    CHECK_THAT(outcome.output, Contains("rank 0 (") && Contains("rank 1 gave up waiting"));
  }
}

TEST_CASE("failures: the store's keeper is stopped while a rank waits for an index") {
  test::LongRun run;
  const fs::path indexes = run.path("indexes");
  run.config.data.index_folder = indexes.string();
  run.make_indexes();
  const IndexesBeingMade others(indexes);
  test::Ranks ranks(2, run.command());
  test::wait_for_text(run.path("run/log_rank_0001.txt"), "waiting for the process that indexes");
  ranks.signal(0, SIGSTOP);
  const auto outcome = ranks.wait(1, kEndSeconds);
  INFO(outcome.output);
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.output,
             Contains("gave up waiting for the process that indexes") && Contains("rank 0 ("));
}

TEST_CASE("failures: a rank's own error at the start is told on all ranks") {
  const test::LongRun run;
  // Rank 1 works in a folder whose weights have the same size, but are damaged.
  test::LongRun relative;
  relative.config.model.weights.vision_encoder = "eva_vit_g.pth";
  const fs::path good = run.path("good"), damaged = run.path("damaged");
  for (const fs::path& folder : {good, damaged}) {
    fs::create_directory(folder);
    fs::copy_file(run.path("weights/eva_vit_g.pth"), folder / "eva_vit_g.pth");
  }
  const auto size = fs::file_size(damaged / "eva_vit_g.pth");
  write_file_atomically(damaged / "eva_vit_g.pth", std::string(size, 'x'));
  const auto in = [&](const fs::path& folder) {
    return fmt::format("sh -c \"cd '{}' && exec {}\"", folder.string(), relative.command());
  };
  test::Ranks ranks({in(good), in(damaged), in(good)});
  const auto outcomes = ranks.wait_all(kEndSeconds);
  for (std::size_t rank = 0; rank < 3; ++rank) {
    INFO("rank " << rank << ":\n" << outcomes[rank].output);
    CHECK(outcomes[rank].status == (rank == 1 ? 2 : 1));
    CHECK_THAT(outcomes[rank].output, Contains("eva_vit_g.pth"));
    if (rank != 1)
      CHECK_THAT(outcomes[rank].output,
                 Contains("rank 1 (") && Contains("failed in 'loading the model'"));
  }
}

TEST_CASE("failures: ranks that do not fit together stop at the start and are named") {
  const test::LongRun run;
  const std::string command = run.command();
  const auto say = [&](const std::vector<std::string>& commands,
                       const std::vector<std::string>& expected) {
    test::Ranks ranks(commands);
    const auto outcomes = ranks.wait_all(kEndSeconds);
    for (std::size_t rank = 0; rank < outcomes.size(); ++rank) {
      INFO("process " << rank << ":\n" << outcomes[rank].output);
      CHECK(outcomes[rank].status == 2);
      CHECK_THAT(outcomes[rank].output, Contains(expected[rank]));
    }
  };
  SECTION("a number that is not there") {
    const std::string missing = "these did not start within 6 s: 1;";
    say({command, "env RANK=3 " + command, command},
        {missing, "rank 3 of 3 ranks; they are numbered from 0", missing});
  }
  SECTION("one number twice") {
    const std::string twice = "is the second process that claims this rank at 127.0.0.1:";
    say({command, "env RANK=2 LOCAL_RANK=2 " + command, command}, {twice, twice, twice});
  }
  SECTION("another number of ranks") {
    const std::string difference = ") was told of 4 ranks, rank 0 of 3;";
    say({command, command, "env WORLD_SIZE=4 RANK=3 LOCAL_WORLD_SIZE=4 LOCAL_RANK=3 " + command},
        {difference, difference, difference});
  }
  SECTION("another program") {
    fs::copy_file(VLLAMA_PROGRAM, run.path("other"));
    std::ofstream(run.path("other"), std::ios::app) << "x";
    std::string other = command;
    other.replace(other.find(VLLAMA_PROGRAM), std::string(VLLAMA_PROGRAM).size(),
                  run.path("other").string());
    const std::string difference = "program: 'build ";
    say({command, command, other}, {difference, difference, difference});
  }
  SECTION("other weights") {
    test::LongRun relative;
    relative.config.model.weights.vision_encoder = "weights/eva_vit_g.pth";
    const auto in = [&](const fs::path& folder) {
      return fmt::format("sh -c \"cd '{}' && exec {}\"", folder.string(), relative.command());
    };
    const std::string difference = "weights/eva_vit_g.pth: '";
    say({in(run.path(".")), in(run.path("videos"))}, {difference, "'0 bytes' on rank 1"});
  }
}
