// Steps that take from several data sets: the same training however a step is cut up.
#include <catch2/catch.hpp>

#include "core/files.h"
#include "tests/train/tiny_world.h"
#include "train/record/metrics.h"
#include "train/train.h"

using namespace vllama;

using test::losses;

namespace {

// fp32 sums in another order, over six steps of a small model; relative.
constexpr double kMixingTolerance = 1e-6;

// Clips cropped at random and, three times as often, whole: in each step one and three of four.
train::RunConfig mixed_run(const test::TinyWorld& world, const std::string& name) {
  train::RunConfig config = world.run(name);
  config.data.sets.push_back(config.data.sets[0]);
  config.data.sets[1].name = "whole";
  config.data.sets[1].transform = samples::Transform::eval;
  config.data.sets[1].num_frames = 2;
  config.data.sets[1].weight = 3;
  config.data.mixing = datasets::MixingRule::within_step;
  return config;
}

}  // namespace

TEST_CASE("runs: within steps, k micro-batches give what one batch of all their samples gives") {
  const test::TinyWorld world;
  const train::RunConfig whole = mixed_run(world, "whole_steps");
  REQUIRE(train::train(whole, {}) == 0);
  const auto expected = losses(whole);
  REQUIRE(expected.size() == 6);
  for (const std::int64_t num_parts : {2, 4}) {
    train::RunConfig parts = mixed_run(world, "parts" + std::to_string(num_parts));
    parts.training.micro_batch_size = 4 / num_parts;
    REQUIRE(train::train(parts, {}) == 0);
    const auto actual = losses(parts);
    REQUIRE(actual.size() == expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i)
      CHECK(actual[i] == Approx(expected[i]).epsilon(kMixingTolerance));
  }
}

TEST_CASE("runs: within steps, a run resumed in its middle is the same run") {
  const test::TinyWorld world;
  const train::RunConfig whole = mixed_run(world, "whole_run");
  REQUIRE(train::train(whole, {}) == 0);
  const train::RunConfig rest = mixed_run(world, "rest");
  REQUIRE(train::train(rest, {.resume = world.path("whole_run/checkpoints/step_000002")}) == 0);
  CHECK(losses(rest).back() == losses(whole).back());
}
