// Real processes over the loopback: what they compute together, and what they say when one is
// missing.
#include <catch2/catch.hpp>

#include "distributed/communicator.h"
#include "tests/support/ranks.h"

using namespace vllama;
using Catch::Contains;

namespace {

std::vector<test::RankOutcome> play(std::int64_t num_ranks, const std::string& scenario) {
  return test::Ranks(num_ranks, std::string(RANK_ACTOR " ") + scenario).wait_all(40);
}

}  // namespace

TEST_CASE("communicator: one process is alone and done at once") {
  distributed::Communicator ranks;
  CHECK(ranks.is_first());
  CHECK(ranks.num_ranks() == 1);
  CHECK(ranks.gather("own", "") == std::vector<std::string>{"own"});
  CHECK(ranks.broadcast(std::string("own"), "") == "own");
  CHECK(ranks.decided_by_first([] { return std::string("yes"); }, "") == "yes");
  CHECK_THROWS_AS(ranks.decided_by_first([]() -> std::string { throw UserError("no"); }, ""),
                  UserError);
  ranks.leave();
}

TEST_CASE("communicator: sums, and rank 0's values everywhere") {
  for (const std::int64_t num_ranks : {2, 3, 4})
    for (const auto& outcome : play(num_ranks, "sum")) {
      INFO(outcome.output);
      CHECK(outcome.status == 0);
      CHECK_THAT(outcome.output,
                 Contains("sum " + std::to_string(num_ranks * (num_ranks + 1) / 2) + "\n") &&
                     Contains("first 10\n"));
    }
}

namespace {

// Ranks that are told to be on machines of two, in order or in turns.
test::Ranks on_machines_of_two(std::int64_t num_ranks, const std::string& scenario, bool in_turns) {
  std::vector<std::string> commands;
  for (std::int64_t rank = 0; rank < num_ranks; ++rank) {
    const std::int64_t local_rank = in_turns ? rank / (num_ranks / 2) : rank % 2;
    commands.push_back("env LOCAL_WORLD_SIZE=2 LOCAL_RANK=" + std::to_string(local_rank) +
                       " " RANK_ACTOR " " + scenario);
  }
  return test::Ranks(commands);
}

}  // namespace

TEST_CASE("communicator: parts of all ranks, and of those on a machine") {
  const auto together = play(3, "parts");
  for (const auto& outcome : together) {
    INFO(outcome.output);
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.output, Contains("last 12 12 \n") && Contains("parts 1 2 2 \n") &&
                                   Contains("local 0 0 10 10 20 20 \n") &&
                                   Contains("local 2 2 12 12 22 22 \n"));
  }
  const auto apart = on_machines_of_two(4, "parts", false).wait_all(40);
  for (std::size_t rank = 0; rank < 4; ++rank) {
    INFO(apart[rank].output);
    CHECK(apart[rank].status == 0);
    CHECK_THAT(apart[rank].output, Contains("parts 1 2 2 3 3 3 \n"));
    CHECK_THAT(apart[rank].output,
               Contains(rank < 2 ? "local 0 0 10 10 \n" : "local 20 20 30 30 \n"));
  }
  for (const auto& outcome : on_machines_of_two(4, "parts", true).wait_all(40)) {
    INFO(outcome.output);
    CHECK(outcome.status == 1);
    CHECK_THAT(outcome.output, Contains("machine of rank 0") && Contains("consecutive numbers"));
  }
}

TEST_CASE("communicator: a rank that is missing on its machine is named") {
  test::Ranks ranks = on_machines_of_two(4, "die_locally", false);
  for (const std::size_t rank : {0, 2, 3}) {
    const auto outcome = ranks.wait(rank, 25);
    INFO("rank " << rank << ":\n" << outcome.output);
    CHECK(outcome.status == 1);
    CHECK_THAT(outcome.output, Contains("rank 1 (") && Contains("no sign of life"));
    CHECK_THAT(outcome.output,
               Contains(rank == 0 ? "in 'a gathering on this machine'" : "in 'a sum'"));
  }
}

TEST_CASE("communicator: texts of all ranks, a text for all, a decision of the first") {
  const auto outcomes = play(3, "exchange");
  for (const auto& outcome : outcomes) {
    INFO(outcome.output);
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.output, Contains("word\n") && Contains("yes\n"));
  }
  CHECK_THAT(outcomes[0].output, Contains("heard from 0\nheard from 1\nheard from 2\n"));
  CHECK_THAT(outcomes[1].output, !Contains("heard"));
  for (const auto& outcome : play(2, "refuse"))
    CHECK_THAT(outcome.output, Contains("the first says no"));
  for (const auto& outcome : play(3, "disagree"))
    CHECK_THAT(outcome.output,
               Contains("seed: '0' on rank 0, '1' on rank 1") && !Contains("equal"));
}

TEST_CASE("communicator: the others name a rank that was killed or stopped") {
  for (const char* how : {"die", "stop"}) {
    test::Ranks ranks(3, std::string(RANK_ACTOR " ") + how);
    for (const std::size_t rank : {0, 2}) {
      const auto outcome = ranks.wait(rank, 25);
      INFO(how << ", rank " << rank << ":\n" << outcome.output);
      CHECK(outcome.status == 1);
      CHECK_THAT(outcome.output,
                 Contains("in 'a sum'") && Contains("rank 1 (") && Contains("no sign of life"));
      CHECK_THAT(outcome.output, !Contains("rank 0 (") && !Contains("rank 2 ("));
      CHECK_THAT(outcome.output, Contains("all_reduce") || Contains("allreduce"));
    }
  }
}

TEST_CASE("communicator: the others name a rank that hangs, and one that fails") {
  test::Ranks hanging(3, RANK_ACTOR " hang");
  const auto outcome = hanging.wait(2, 25);
  INFO(outcome.output);
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.output, Contains("rank 1 (") && Contains("is alive, but has been in") &&
                                 Contains("step 5: forward and backward"));
  for (const auto& rank : play(2, "fail")) {
    CHECK(rank.status == 1);
    CHECK_THAT(rank.output, Contains("rank 1 has no space left"));
  }
}

TEST_CASE("communicator: ranks that do not come, or come twice, are named") {
  test::Ranks incomplete({RANK_ACTOR " sum", "true", RANK_ACTOR " sum"});
  for (const std::size_t rank : {0, 2}) {
    const auto outcome = incomplete.wait(rank, 25);
    INFO(outcome.output);
    CHECK(outcome.status == 2);
    CHECK_THAT(outcome.output, Contains("did not start within 10 s: 1;"));
  }
}
