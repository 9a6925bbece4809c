// What ranks hold in parts changes the memory they need, and not one bit of what they train.
#include <fmt/format.h>
#include <signal.h>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "tests/ranks/runs.h"

using namespace vllama;
using namespace vllama::test;

namespace {

std::string optimizer_file(const train::RunConfig& config, std::int64_t step) {
  return read_file(step_folder(config, step) / "optimizer.safetensors");
}

constexpr std::int64_t kFewSteps = 5;

// A few steps, with layers that are computed again for the backward pass.
train::RunConfig short_run(const TinyWorld& world, const std::string& name) {
  train::RunConfig config = run_of_20_steps(world, name);
  config.training.num_epochs = 1;
  config.training.steps_per_epoch = kFewSteps;
  config.model.recompute_layers = true;
  return config;
}

train::RunConfig with_sharded_language_model(train::RunConfig config) {
  config.distributed.shard_language_model = true;
  return config;
}

void check_same_bytes(const train::RunConfig& actual, const train::RunConfig& expected) {
  CHECK(losses(actual) == losses(expected));
  for (const char* file : {"trainable.safetensors", "optimizer.safetensors"})
    CHECK(read_file(step_folder(actual, kFewSteps) / file) ==
          read_file(step_folder(expected, kFewSteps) / file));
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

TEST_CASE("sharding: a sharded language model trains the same bytes") {
  const TinyWorld world;
  SECTION("two ranks, the published modules") {
    const auto whole = short_run(world, "whole"), sharded = short_run(world, "sharded");
    train_on(2, whole);
    train_on(2, with_sharded_language_model(sharded));
    check_same_bytes(sharded, whole);
  }
  SECTION("four ranks on machines of two, adapters, and an optimizer that is sharded as well") {
    auto whole = short_run(world, "whole"), sharded = short_run(world, "sharded");
    for (train::RunConfig* config : {&whole, &sharded})
      config->model.trainable = {{models::ModuleName::projection}, {models::ModuleName::lora}};
    train_on(4, whole);
    const auto config = with_sharded_optimizer(with_sharded_language_model(sharded));
    const std::string file = config.output_dir + ".yaml";
    write_file_atomically(file, config::dump(config));
    std::vector<std::string> commands;
    for (const int rank : {0, 1, 2, 3})
      commands.push_back(fmt::format("env LOCAL_WORLD_SIZE=2 LOCAL_RANK={} '{}' train '{}'",
                                     rank % 2, VLLAMA_PROGRAM, file));
    for (const auto& outcome : Ranks(commands).wait_all(120)) {
      INFO(outcome.output);
      CHECK(outcome.status == 0);
    }
    check_same_bytes(sharded, whole);
  }
  SECTION("fewer samples than ranks, some of them broken, in several micro-batches") {
    std::filesystem::resize_file(world.path("videos/page/clip0.mp4"), 0);
    auto whole = short_run(world, "whole"), sharded = short_run(world, "sharded");
    for (train::RunConfig* config : {&whole, &sharded}) {
      config->data.max_broken_share = 1;
      config->training.micro_batch_size = 1;
    }
    whole.training.batch_size = sharded.training.batch_size = GENERATE(3, 6);
    train_on(4, whole);
    train_on(4, with_sharded_language_model(sharded));
    check_same_bytes(sharded, whole);
  }
}

TEST_CASE("sharding: a rank that dies is named by those that wait for its weights") {
  const TinyWorld world;
  auto config = with_sharded_language_model(short_run(world, "run"));
  config.training.steps_per_epoch = 10000;
  write_file_atomically(world.path("run.yaml"), config::dump(config));
  Ranks ranks(2, fmt::format("'{}' train '{}'", VLLAMA_PROGRAM, world.path("run.yaml").string()));
  wait_for_step(config, 3);
  ranks.signal(1, SIGKILL);
  const auto outcome = ranks.wait(0);
  INFO(outcome.output);
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.output, Catch::Contains("rank 1 ("));
}

TEST_CASE("sharding: settings that do not allow it are refused") {
  const TinyWorld world;
  const auto refused = [&](train::RunConfig config, const std::string& message) {
    write_file_atomically(world.path("run.yaml"), config::dump(config));
    Ranks ranks(2, fmt::format("'{}' train '{}'", VLLAMA_PROGRAM, world.path("run.yaml").string()));
    for (const auto& outcome : ranks.wait_all()) {
      CHECK(outcome.status == 2);
      CHECK_THAT(outcome.output, Catch::Contains(message));
    }
  };
  auto config = with_sharded_language_model(short_run(world, "run"));
  config.model.recompute_layers = false;
  refused(config, "model.recompute_layers: true");
  config.model.recompute_layers = true;
  config.model.trainable = {{models::ModuleName::projection}, {models::ModuleName::language_model}};
  refused(config, "take 'language_model' out of model.trainable");
}
