// What ranks hold in parts changes the memory they need, and not one bit of what they train.
#include <catch2/catch.hpp>

#include "core/files.h"
#include "tests/ranks/runs.h"

using namespace vllama;
using namespace vllama::test;

namespace {

std::string optimizer_file(const train::RunConfig& config, std::int64_t step) {
  return read_file(step_folder(config, step) / "optimizer.safetensors");
}

train::RunConfig with_sharded_optimizer(train::RunConfig config) {
  config.distributed.shard_optimizer = true;
  return config;
}

}  // namespace

TEST_CASE("sharding: a sharded optimizer trains and saves the same bytes") {
  const TinyWorld world;
  for (const std::int64_t num_ranks : {2, 4}) {
    const std::string number = std::to_string(num_ranks);
    const auto whole = run_of_20_steps(world, "whole" + number);
    const auto sharded = with_sharded_optimizer(run_of_20_steps(world, "sharded" + number));
    train_on(num_ranks, whole);
    train_on(num_ranks, sharded);
    CHECK(losses(sharded) == losses(whole));
    CHECK(read_file(trained_weights(sharded)) == read_file(trained_weights(whole)));
    for (const std::int64_t step : {5, 20})
      CHECK(optimizer_file(sharded, step) == optimizer_file(whole, step));
  }
}

TEST_CASE("sharding: 4 sharded ranks, 2 unsharded, 1: as without sharding") {
  const TinyWorld world;
  const auto plain = run_of_20_steps(world, "plain"), moved = run_of_20_steps(world, "moved");
  train_on(4, plain);
  train_on(4, with_sharded_optimizer(moved));
  for (const auto& [step, num_ranks] : {std::pair{10, 2}, {15, 1}}) {
    go_back_to(plain, step);
    go_back_to(moved, step);
    train_on(num_ranks, plain);
    const auto outcomes = train_on(num_ranks, moved);
    CHECK_THAT(outcomes[0].output, Catch::Contains("resumed from"));
  }
  // And back: from one rank to three that share.
  CHECK(optimizer_file(moved, 20) == optimizer_file(plain, 20));
  go_back_to(moved, 15);
  go_back_to(plain, 15);
  train_on(3, plain);
  train_on(3, with_sharded_optimizer(moved));
  CHECK(losses(moved) == losses(plain));
  CHECK(read_file(trained_weights(moved)) == read_file(trained_weights(plain)));
  CHECK(optimizer_file(moved, 20) == optimizer_file(plain, 20));
}
