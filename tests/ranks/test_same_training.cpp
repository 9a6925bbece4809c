// N ranks train what one rank trains, and a run goes on with another number of ranks.
#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/max.h>
#include <fmt/format.h>
#include <signal.h>

#include <catch2/catch.hpp>

#include "checkpoint/step_directory.h"
#include "core/files.h"
#include "tests/ranks/runs.h"
#include "tests/support/ranks.h"
#include "train/record/metrics.h"
#include "weights/load.h"

using namespace vllama;
using namespace vllama::test;

namespace {

// Sums over the same samples in another order, relative.
constexpr double kLossTolerance = 1e-5;
// Of a weight, in learning rates. In another order a sum over a batch is off by the batch size
// times 2^-24 of its largest partial sum; Adam divides that by the size of the gradient, which
// cancellation leaves at a thousandth of it or more; every step adds once.
constexpr double kWeightTolerance = kNumSteps * kBatchSize * 0x1p-24 * 1e3;

// Between trained weights at the end, in learning rates.
double largest_difference(const train::RunConfig& left, const train::RunConfig& right) {
  const auto expected = step_of(left, kNumSteps).tensors.at("trainable");
  const auto actual = step_of(right, kNumSteps).tensors.at("trainable");
  REQUIRE(expected.size() == actual.size());
  double largest = 0;
  for (const auto& [name, tensor] : expected)
    largest = std::max(largest, (tensor - actual.at(name)).abs().max().item<double>());
  return largest / left.schedule.peak_learning_rate;
}

void check_losses(const train::RunConfig& expected, const train::RunConfig& actual) {
  const auto left = test::losses(expected), right = test::losses(actual);
  REQUIRE(left.size() == kNumSteps);
  REQUIRE(right.size() == kNumSteps);
  for (std::size_t i = 0; i < left.size(); ++i)
    CHECK(right[i] == Approx(left[i]).epsilon(kLossTolerance));
}

}  // namespace

TEST_CASE("ranks: 1, 2 and 4 ranks, with any micro-batches, train the same") {
  const test::TinyWorld world;
  const auto one = run_of_20_steps(world, "one");
  train_on(1, one);
  for (const auto& [num_ranks, at_once] : {std::pair{2, 32}, {2, 1}, {4, 2}, {4, 1}}) {
    INFO(num_ranks << " ranks, " << at_once << " samples at once");
    auto config = run_of_20_steps(world, fmt::format("ranks{}_{}", num_ranks, at_once));
    config.training.micro_batch_size = at_once;
    train_on(num_ranks, config);
    check_losses(one, config);
    CHECK(largest_difference(one, config) < kWeightTolerance);
  }
}

TEST_CASE("ranks: a language model that trains, its gradients added up during backward") {
  const test::TinyWorld world;
  const auto run = [&world](const std::string& name) {
    auto config = run_of_20_steps(world, name);
    config.model.trainable = {{models::ModuleName::projection},
                              {models::ModuleName::language_model}};
    // Fewer samples than four ranks, and micro-batches that some of two ranks lack.
    config.training.batch_size = 3;
    config.training.micro_batch_size = 1;
    return config;
  };
  const auto one = run("one"), again = run("again");
  train_on(1, one);
  for (const int num_ranks : {2, 4}) {
    auto config = run(fmt::format("ranks{}", num_ranks));
    config.model.recompute_layers = num_ranks == 2;
    train_on(num_ranks, config);
    check_losses(one, config);
    CHECK(largest_difference(one, config) < kWeightTolerance);
  }
  train_on(4, again);
  CHECK(read_file(trained_weights(again)) ==
        read_file(world.path("ranks4") / "checkpoints/step_000020/trainable.safetensors"));
}

TEST_CASE("ranks: two ranks repeat a run bit for bit, and resume it so") {
  const test::TinyWorld world;
  auto whole = run_of_20_steps(world, "whole"), resumed = run_of_20_steps(world, "resumed");
  // Steps of four micro-batches, in the middle of which the run is killed below.
  whole.training.micro_batch_size = resumed.training.micro_batch_size = 1;
  train_on(2, whole);
  {
    const auto file = world.path("resumed.yaml");
    write_file_atomically(file, config::dump(resumed));
    test::Ranks ranks(2, fmt::format("'{}' train '{}'", VLLAMA_PROGRAM, file.string()));
    wait_for_step(resumed, 7);
    for (const std::size_t rank : {0, 1}) ranks.signal(rank, SIGKILL);
    ranks.wait_all();
  }
  const auto outcomes = train_on(2, resumed);
  CHECK_THAT(outcomes[0].output, Catch::Contains("resumed from"));
  CHECK(read_file(trained_weights(resumed)) == read_file(trained_weights(whole)));
  CHECK(test::losses(resumed) == test::losses(whole));
}

TEST_CASE("ranks: a run goes on with fewer ranks, over the same samples") {
  const test::TinyWorld world;
  const auto one = run_of_20_steps(world, "one"), moved = run_of_20_steps(world, "moved");
  train_on(1, one);
  train_on(4, moved);
  go_back_to(moved, 10);
  train_on(2, moved);
  go_back_to(moved, 15);
  train_on(1, moved);
  check_losses(one, moved);
  CHECK(largest_difference(one, moved) < kWeightTolerance);
  const auto expected = train::read_metrics(world.path("one/metrics.jsonl"));
  const auto actual = train::read_metrics(world.path("moved/metrics.jsonl"));
  for (std::size_t i = 0; i < kNumSteps; ++i) {
    CHECK(actual[i].num_tokens == expected[i].num_tokens);
    CHECK(actual[i].num_target_tokens == expected[i].num_target_tokens);
  }
}

TEST_CASE("ranks: more ranks than samples, and samples that one of them cannot read") {
  const test::TinyWorld world;
  std::filesystem::resize_file(world.path("videos/page/clip0.mp4"), 0);
  auto one = run_of_20_steps(world, "one"), four = run_of_20_steps(world, "four");
  for (train::RunConfig* config : {&one, &four}) {
    config->training.batch_size = 3;
    config->data.max_broken_share = 1;
  }
  train_on(1, one);
  train_on(4, four);
  check_losses(one, four);
  const std::string dropped = read_file(world.path("one/dropped.jsonl"));
  CHECK(std::count(dropped.begin(), dropped.end(), '\n') >= kNumSteps / 4);
  CHECK(read_file(world.path("four/dropped.jsonl")) == dropped);
}

TEST_CASE("ranks: a resume that is refused ends all of them before a weight is read") {
  const test::TinyWorld world;
  auto config = run_of_20_steps(world, "run");
  train_on(2, config);
  go_back_to(config, 10);
  config.schedule.warmup_steps += 1;
  write_file_atomically(world.path("run.yaml"), config::dump(config));
  test::Ranks ranks(
      2, fmt::format("'{}' train '{}'", VLLAMA_PROGRAM, world.path("run.yaml").string()));
  for (const auto& outcome : ranks.wait_all()) {
    INFO(outcome.output);
    CHECK(outcome.status == 2);
    CHECK_THAT(outcome.output, Catch::Contains("this would train something else") &&
                                   Catch::Contains("schedule.warmup_steps") &&
                                   !Catch::Contains(" ignored) from '"));
  }
  train_on(2, config, "--accept-changes");
}

TEST_CASE("ranks: what they do not agree on stops all of them before training") {
  const test::TinyWorld world;
  const auto config = run_of_20_steps(world, "run");
  write_file_atomically(world.path("run.yaml"), config::dump(config));
  const std::string command =
      fmt::format("'{}' train '{}'", VLLAMA_PROGRAM, world.path("run.yaml").string());
  test::Ranks ranks({command, command, command + " --set seed=7"});
  for (const auto& outcome : ranks.wait_all()) {
    CHECK(outcome.status == 2);
    CHECK_THAT(outcome.output, Catch::Contains("seed: '42' on rank 0, '7' on rank 2"));
  }
  CHECK_FALSE(std::filesystem::exists(config.output_dir));
}
