// Steps that go wrong on several ranks, and what the ranks tell of each other.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "core/files.h"
#include "tests/support/ranks.h"
#include "tests/train/tiny_world.h"
#include "train/record/bad_steps.h"
#include "train/record/metrics.h"

using namespace vllama;

namespace {

void check_training(std::int64_t num_ranks, const train::RunConfig& config,
                    int expected_status = 0) {
  const std::filesystem::path file = config.output_dir + ".yaml";
  write_file_atomically(file, config::dump(config));
  test::Ranks ranks(num_ranks, fmt::format("'{}' train '{}'", VLLAMA_PROGRAM, file.string()));
  for (const auto& outcome : ranks.wait_all(120)) {
    INFO(outcome.output);
    CHECK(outcome.status == expected_status);
  }
}

std::string weights_after(const train::RunConfig& config, std::int64_t step) {
  return read_file(std::filesystem::path(config.output_dir) /
                   fmt::format("checkpoints/step_{:06}/trainable.safetensors", step));
}

}  // namespace

TEST_CASE("ranks: a bad step is skipped on all, and kept with the samples of all") {
  const test::TinyWorld world;
  world.poison("3");  // of one sample, which one of the ranks has
  train::RunConfig one = world.run("one"), two = world.run("two");
  for (train::RunConfig* config : {&one, &two}) {
    config->training.batch_size = 2;
    config->checkpoints.every_steps = 1;
    config->checkpoints.keep_last = 6;
  }
  two.distributed.straggler_every_steps = 2;
  check_training(1, one);
  check_training(2, two);
  const auto found = train::read_bad_steps(world.path("two/bad_steps.jsonl"));
  REQUIRE_FALSE(found.empty());
  CHECK(found.size() < 6);
  for (const train::BadStep& step : found) {
    CHECK(step.samples.size() == 2);
    if (step.step > 1) CHECK(weights_after(two, step.step) == weights_after(two, step.step - 1));
  }
  CHECK(read_file(world.path("two/bad_steps.jsonl")) ==
        read_file(world.path("one/bad_steps.jsonl")));

  for (const auto& step : train::read_metrics(world.path("one/metrics.jsonl"))) {
    CHECK_FALSE(step.num_ranks);
    CHECK_FALSE(step.communication_seconds);
    CHECK_FALSE(step.straggler);
  }
  for (const auto& step : train::read_metrics(world.path("two/metrics.jsonl"))) {
    CHECK(step.num_ranks == 2);
    REQUIRE(step.communication_seconds);
    CHECK(*step.communication_seconds > 0);
    CHECK(*step.communication_seconds <= step.seconds);
    REQUIRE(step.straggler.has_value() == (step.step % 2 == 0));
    if (!step.straggler) continue;
    CHECK(step.straggler->rank < 2);
    CHECK(step.straggler->ratio >= 1);
  }
}

TEST_CASE("ranks: too many bad steps in a row stop all of them") {
  const test::TinyWorld world;
  world.poison("caption");
  train::RunConfig config = world.run("run");
  config.training.max_bad_steps = 3;
  check_training(2, config, 1);
  CHECK(train::read_bad_steps(world.path("run/bad_steps.jsonl")).size() == 3);
}
