// Signals that ask a run to stop: all ranks save the same step, whichever of them was asked.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <set>

#include "checkpoint/step_directory.h"
#include "core/files.h"
#include "core/random.h"
#include "tests/operations/long_run.h"
#include "tests/support/ranks.h"
#include "train/record/metrics.h"

using namespace vllama;
using Catch::Contains;

TEST_CASE("signals: one rank or all, at any moment: the same step is saved, and nothing is lost") {
  test::LongRun run;
  run.config.training.steps_per_epoch = 120;
  run.config.checkpoints.every_steps = 1000;
  const std::string whole = run.path("whole").string();
  for (const auto& outcome :
       test::Ranks(2, run.command("--set output_dir='" + whole + "'")).wait_all(120))
    REQUIRE(outcome.status == 0);

  struct Stop {
    int signal;
    std::vector<std::size_t> ranks;
  };
  std::int64_t num_steps = 0;
  RandomStream random(random_key({7}));
  for (const auto& [signal, asked] : {Stop{SIGTERM, {1}}, Stop{SIGINT, {0, 1}}, Stop{SIGUSR1, {0}},
                                      Stop{SIGTERM, {0, 1}}, Stop{SIGUSR1, {1}}}) {
    INFO("signal " << signal << " after step " << num_steps);
    test::Ranks ranks(2, run.command());
    run.wait_for_step(num_steps + static_cast<std::int64_t>(random.uniform() * 12));
    ::usleep(static_cast<useconds_t>(random.uniform() * 30'000));
    for (const std::size_t rank : asked) ranks.signal(rank, signal);
    for (const auto& outcome : ranks.wait_all()) {
      INFO(outcome.output);
      CHECK(outcome.status == 128 + signal);
    }
    const auto steps = checkpoint::list_steps(run.folder() / "checkpoints");
    REQUIRE_FALSE(steps.empty());
    CHECK(steps.back().step > num_steps);
    CHECK(steps.back().step ==
          static_cast<std::int64_t>(train::read_metrics(run.folder() / "metrics.jsonl").size()));
    num_steps = steps.back().step;
  }
  for (const auto& outcome : test::Ranks(2, run.command()).wait_all(120)) {
    INFO(outcome.output);
    REQUIRE(outcome.status == 0);
  }
  CHECK(test::saved_bytes(run.folder(), 120) == test::saved_bytes(whole, 120));
  CHECK(test::losses(run.config).size() == 120);
}

TEST_CASE("signals: repeated until the ranks have ended, they change nothing") {
  test::LongRun run;
  std::int64_t num_steps = 0;
  for (int attempt = 0; attempt < 5; ++attempt) {
    test::Ranks ranks(2, run.command());
    run.wait_for_step(num_steps + 3);
    const auto has_ended = [&](std::size_t rank) {
      siginfo_t state{};
      ::waitid(P_PID, static_cast<id_t>(ranks.process(rank)), &state, WEXITED | WNOHANG | WNOWAIT);
      return state.si_pid != 0;
    };
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (std::chrono::steady_clock::now() < end && !(has_ended(0) && has_ended(1))) {
      for (const std::size_t rank : {0, 1}) ranks.signal(rank, SIGTERM);
      ::usleep(500);
    }
    for (const auto& outcome : ranks.wait_all()) {
      INFO(outcome.output);
      REQUIRE(outcome.status == 128 + SIGTERM);
      CHECK_THAT(outcome.output, !Contains("gave up"));
    }
    num_steps = checkpoint::list_steps(run.folder() / "checkpoints").back().step;
  }
}

TEST_CASE("signals: rank 0 says at once what comes next, the others nothing") {
  test::LongRun run;
  test::Ranks ranks(2, run.command());
  run.wait_for_step(5);
  for (const std::size_t rank : {0, 1}) ranks.signal(rank, SIGINT);
  const auto outcomes = ranks.wait_all();
  for (const auto& outcome : outcomes) CHECK(outcome.status == 128 + SIGINT);
  INFO(outcomes[0].output);
  CHECK_THAT(outcomes[0].output, Contains("Ctrl-C: the run ends after ") &&
                                     Contains(" and saves; a second Ctrl-C ends it now") &&
                                     Contains("after saving '" + run.folder().string()));
  CHECK_THAT(outcomes[1].output, !Contains("Ctrl-C"));
}

TEST_CASE(
    "signals: the end of a run names its last checkpoint, and the same command says it is done") {
  test::LongRun run;
  run.config.training.steps_per_epoch = 3;
  const std::string last = (run.folder() / "checkpoints/step_000003").string();
  const auto first = test::Ranks(2, run.command()).wait_all();
  INFO(first[0].output);
  CHECK(first[0].status == 0);
  CHECK_THAT(first[0].output, Contains("done: 3 steps, the last checkpoint is '" + last + "'") &&
                                  Contains("next: vllama chat '" + run.folder().string() + "'"));
  const auto again = test::Ranks(2, run.command()).wait_all();
  INFO(again[0].output);
  CHECK(again[0].status == 0);
  CHECK(again[1].status == 0);
  CHECK_THAT(again[0].output, Contains("nothing is left to do: all 3 steps are trained") &&
                                  Contains(last) && !Contains("Parameters"));
  CHECK_THAT(again[1].output, !Contains("nothing is left"));
}

TEST_CASE("signals: a second SIGINT ends a rank at once") {
  test::LongRun run;
  test::Ranks ranks(2, run.command());
  run.wait_for_step(5);
  ranks.signal(0, SIGSTOP);  // so that rank 1 cannot end its step
  ::usleep(300'000);
  ranks.signal(1, SIGINT);
  ::usleep(300'000);
  ranks.signal(1, SIGINT);
  CHECK(ranks.wait(1, 2).status == 128 + SIGINT);
}
