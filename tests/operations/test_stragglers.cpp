// A rank that is slower than the others is named, in the log and in metrics.jsonl.
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <map>

#include "tests/operations/long_run.h"
#include "tests/support/ranks.h"
#include "train/record/metrics.h"

using namespace vllama;
using Catch::Contains;

TEST_CASE("stragglers: the rank that computes slowly is named") {
  constexpr std::size_t kSlow = 2;
  test::LongRun run;
  run.config.training.batch_size = 6;
  run.config.training.steps_per_epoch = 60;
  run.config.distributed.straggler_every_steps = 20;
  test::Ranks ranks(3, run.command());
  run.wait_for_step(0);
  const auto metrics = [&] { return train::read_metrics(run.folder() / "metrics.jsonl"); };
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (metrics().size() < 60 &&
         std::chrono::steady_clock::now() < end) {  // stopped four fifths of the time
    ranks.signal(kSlow, SIGSTOP);
    ::usleep(40'000);
    ranks.signal(kSlow, SIGCONT);
    ::usleep(10'000);
  }
  const auto outcomes = ranks.wait_all();
  for (const auto& outcome : outcomes) {
    INFO(outcome.output);
    REQUIRE(outcome.status == 0);
  }
  std::map<std::int64_t, train::Straggler> found;  // by step
  for (const auto& step : metrics())
    if (step.straggler) found[step.step] = *step.straggler;
  REQUIRE(found.size() == 3);
  for (const std::int64_t step : {40, 60}) {
    INFO("step " << step);
    CHECK(found.at(step).rank == kSlow);
    CHECK(found.at(step).ratio > 1.5);
  }
  CHECK_THAT(outcomes[0].output, Contains("rank 2 holds up the others"));
}
