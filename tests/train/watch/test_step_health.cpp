// Steps whose numbers go wrong: kept with their samples, skipped or flagged, and the same after a
// resume as without one.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "datasets/loading/mixture.h"
#include "models/model_input.h"
#include "tests/train/tiny_world.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "train/loop/sample_order.h"
#include "train/record/bad_steps.h"
#include "train/run/run_state.h"
#include "train/train.h"

using namespace vllama;
using Catch::Contains;

namespace {

std::string step_folder(std::int64_t step) {
  return fmt::format("checkpoints/step_{:06}", step);
}

std::string file_of(const train::RunConfig& config, const std::string& name) {
  return read_file(std::filesystem::path(config.output_dir) / name);
}

std::string weights_after(const train::RunConfig& config, std::int64_t step) {
  return file_of(config, step_folder(step) + "/trainable.safetensors");
}

// All but the times.
std::vector<std::string> judgements(const train::RunConfig& config) {
  std::vector<std::string> lines;
  for (const auto& step :
       train::read_metrics(std::filesystem::path(config.output_dir) / "metrics.jsonl"))
    lines.push_back(fmt::format("{} {} {} {} {}", step.step, step.loss, step.loss_z.value_or(0),
                                step.problem ? train::problem_name(*step.problem) : "good",
                                step.skipped));
  return lines;
}

std::vector<train::BadStep> bad_steps(const train::RunConfig& config) {
  return train::read_bad_steps(std::filesystem::path(config.output_dir) / "bad_steps.jsonl");
}

// One sample a step, so that a sample's loss is a step's.
train::RunConfig short_steps(const test::TinyWorld& world, const std::string& name,
                             std::int64_t num_steps) {
  train::RunConfig config = world.run(name);
  config.training.batch_size = 1;
  config.training.num_epochs = 1;
  config.training.steps_per_epoch = num_steps;
  config.checkpoints.every_steps = 1;
  config.checkpoints.keep_last = num_steps;
  return config;
}

void remove_checkpoints_after(const train::RunConfig& config, std::int64_t kept,
                              std::int64_t last) {
  for (std::int64_t step = kept + 1; step <= last; ++step)
    std::filesystem::remove_all(std::filesystem::path(config.output_dir) / step_folder(step));
}

// A copy of the run, resumed after step `kept`, goes on as the run did.
void check_resumed(const train::RunConfig& whole, std::int64_t kept) {
  const std::int64_t num_steps = whole.training.num_steps();
  train::RunConfig resumed = whole;
  resumed.output_dir += "_resumed";
  resumed.checkpoints.every_steps = num_steps;
  std::filesystem::remove_all(resumed.output_dir);
  std::filesystem::copy(whole.output_dir, resumed.output_dir,
                        std::filesystem::copy_options::recursive);
  remove_checkpoints_after(resumed, kept, num_steps);
  REQUIRE(train::train(resumed, {}) == 0);
  INFO("resumed after step " << kept);
  CHECK(file_of(resumed, "bad_steps.jsonl") == file_of(whole, "bad_steps.jsonl"));
  CHECK(judgements(resumed) == judgements(whole));
  CHECK(weights_after(resumed, num_steps) == weights_after(whole, num_steps));
}

constexpr std::int64_t kNumSpikySteps = 90;

// Four captions are alike and soon learned; the loss of the fifth, of clip3, then stands out. By
// that time there are enough losses to judge.
train::RunConfig spiky_run(const test::TinyWorld& world, const std::string& name) {
  std::string table = "videoid,page_dir,name\n";
  for (int i = 0; i < 5; ++i)
    table += fmt::format("clip{},page,{}\n", i,
                         i == 3 ? "zebras 77 ~~ xylophone" : "a red car drives along the road");
  write_file_atomically(world.path("annotations/clips.csv"), table);
  train::RunConfig config = short_steps(world, name, kNumSpikySteps);
  config.schedule.peak_learning_rate = 3e-2;
  return config;
}

}  // namespace

TEST_CASE("health: a sample without a finite loss is skipped and kept, also over resumes") {
  const test::TinyWorld world;
  world.poison("3");  // stands in one caption of five
  const train::RunConfig whole = short_steps(world, "whole", 10);
  REQUIRE(train::train(whole, {}) == 0);

  const auto found = bad_steps(whole);
  REQUIRE(found.size() == 2);  // two passes
  for (const train::BadStep& step : found) {
    CHECK(step.problem == train::StepProblem::nonfinite_loss);
    CHECK(step.skipped);
    CHECK(std::isnan(step.loss));
    REQUIRE(step.samples.size() == 1);
    CHECK(step.samples[0].dataset == "clips");
    CHECK(step.samples[0].id == "clip3");
    CHECK(step.samples[0].paths ==
          std::vector<std::string>{world.path("videos/page/clip3.mp4").string()});
    CHECK(weights_after(whole, step.step) == weights_after(whole, step.step - 1));
  }
  std::set<std::int64_t> skipped;
  for (const auto& step : train::read_metrics(world.path("whole/metrics.jsonl"))) {
    if (step.skipped) skipped.insert(step.step);
    CHECK(step.skipped == std::isnan(step.loss));
    CHECK(step.problem.has_value() == step.skipped);
  }
  CHECK(skipped == std::set<std::int64_t>{found[0].step, found[1].step});
  CHECK_THAT(file_of(whole, "loss.svg"), Contains("<svg") && !Contains("nan"));

  for (const std::int64_t kept : {9, 5, 2}) check_resumed(whole, kept);
}

TEST_CASE("health: the samples of a bad step are those of the whole global batch") {
  const test::TinyWorld world;
  world.poison("3");
  train::RunConfig config = world.run("run");
  config.training.micro_batch_size = 2;
  std::filesystem::resize_file(world.path("videos/page/clip1.mp4"), 0);  // dropped, but planned
  REQUIRE(train::train(config, {}) == 0);
  const text::SentencePieceTokenizer tokenizer(world.path("weights/llama/tokenizer.model"));
  const datasets::Mixture data(config.data, models::model_input(config.model), tokenizer);
  const auto order = train::sample_order(config, data.sources());
  const auto found = bad_steps(config);
  REQUIRE_FALSE(found.empty());
  for (const train::BadStep& step : found) {
    CHECK(step.samples.size() == 4);
    CHECK(step.samples == train::samples_of_step(order, data, step.step - 1));
  }
}

TEST_CASE("health: a run stops after as many bad steps in a row, resumed or not") {
  const test::TinyWorld world;
  world.poison("caption");  // stands in all of them
  train::RunConfig config = short_steps(world, "run", 10);
  config.training.max_bad_steps = 4;
  CHECK_THROWS_AS(train::train(config, {}), RunFailure);
  const std::string listed = file_of(config, "bad_steps.jsonl");
  CHECK(bad_steps(config).size() == 4);
  for (const std::int64_t kept : {3, 2, 1}) {
    remove_checkpoints_after(config, kept, 10);
    CHECK_THROWS_WITH(train::train(config, {}),
                      Contains("4 steps in a row") && Contains("config.yaml --bad-steps"));
    CHECK(file_of(config, "bad_steps.jsonl") == listed);
  }
}

TEST_CASE("health: a step without anything to learn has no loss") {
  const test::TinyWorld world;
  for (int i = 0; i < 4; ++i)  // all but the last
    std::filesystem::resize_file(world.path(fmt::format("videos/page/clip{}.mp4", i)), 0);
  train::RunConfig config = short_steps(world, "run", 10);
  config.data.shuffle = false;
  config.training.max_bad_steps = 3;
  CHECK_THROWS_WITH(train::train(config, {}),
                    Contains("no_targets: nothing was left") && !Contains("learning rate"));
  const auto found = bad_steps(config);
  REQUIRE(found.size() == 3);
  CHECK(found[0].problem == train::StepProblem::no_targets);
  CHECK(std::isnan(found[0].loss));
  CHECK(std::isnan(test::losses(config).at(0)));
}

TEST_CASE("health: a run without one finite loss fails, and says what happened") {
  const test::TinyWorld world;
  world.poison("caption");
  const train::RunConfig config = short_steps(world, "run", 6);
  CHECK_THROWS_AS(train::train(config, {}), RunFailure);
  CHECK_FALSE(std::filesystem::exists(world.path("run/loss.svg")));
  train::RunConfig again = config;
  again.output_dir = world.path("again");
  CHECK_THROWS_WITH(train::train(again, {}), Contains("not one of 6 steps had a finite loss") &&
                                                 Contains("nonfinite_loss of 6") &&
                                                 Contains("--bad-steps"));
}

TEST_CASE("health: a spike is found; unless it is skipped, finding it changes nothing") {
  const test::TinyWorld world;
  train::RunConfig flagged = spiky_run(world, "flagged");
  flagged.checkpoints.every_steps = kNumSpikySteps;
  REQUIRE(train::train(flagged, {}) == 0);
  const auto found = bad_steps(flagged);
  REQUIRE(found.size() >= 3);
  for (const train::BadStep& step : found) {
    CHECK(step.problem == train::StepProblem::loss_spike);
    CHECK_FALSE(step.skipped);
    CHECK(*step.loss_z > flagged.training.spike_z_score);
    CHECK(step.samples.at(0).id == "clip3");
  }
  const auto metrics = train::read_metrics(world.path("flagged/metrics.jsonl"));
  CHECK_FALSE(metrics.at(train::SpikeDetector::kFewest - 1).loss_z);
  for (std::size_t i = train::SpikeDetector::kFewest; i < metrics.size(); ++i)
    CHECK(metrics[i].problem.has_value() ==
          (metrics[i].loss_z.value() > flagged.training.spike_z_score));

  train::RunConfig off = flagged;
  off.output_dir = world.path("off");
  off.training.spike_z_score = 0;
  REQUIRE(train::train(off, {}) == 0);
  CHECK(bad_steps(off).empty());
  CHECK(weights_after(off, kNumSpikySteps) == weights_after(flagged, kNumSpikySteps));
}

TEST_CASE("health: skipped spikes leave the weights alone, the same ones after any resume") {
  const test::TinyWorld world;
  train::RunConfig whole = spiky_run(world, "whole");
  whole.training.skip_spikes = true;
  REQUIRE(train::train(whole, {}) == 0);
  const auto found = bad_steps(whole);
  REQUIRE(found.size() >= 3);
  for (const train::BadStep& step : found) {
    CHECK(step.skipped);
    CHECK(weights_after(whole, step.step) == weights_after(whole, step.step - 1));
  }
  // Before there are enough losses, in between, and right before and after a spike.
  for (const std::int64_t kept :
       {std::int64_t{20}, std::int64_t{48}, found[1].step - 1, found[1].step})
    check_resumed(whole, kept);

  train::RunConfig elsewhere = whole;
  elsewhere.output_dir = world.path("elsewhere");
  elsewhere.checkpoints.every_steps = kNumSpikySteps;
  REQUIRE(train::train(elsewhere, {.resume = world.path("whole/" + step_folder(60))}) == 0);
  CHECK(weights_after(elsewhere, kNumSpikySteps) == weights_after(whole, kNumSpikySteps));
}

TEST_CASE("health: settings that cannot work, and those that a resume may not change") {
  const test::TinyWorld world;
  train::RunConfig config = short_steps(world, "run", 4);
  config.training.skip_spikes = true;
  config.training.spike_z_score = 0;
  CHECK_THROWS_WITH(train::train(config, {}), Contains("training.spike_z_score 0"));
  config.training.skip_spikes = false;
  REQUIRE(train::train(config, {}) == 0);
  config.training.spike_z_score = 5;
  CHECK(train::train(config, {}) == 0);
  config.training.skip_spikes = true;
  CHECK_THROWS_WITH(train::train(config, {}), Contains("training.skip_spikes: 'false'"));
}

TEST_CASE("health: what a checkpoint remembers is checked before it is used") {
  const auto progress = [](const std::string& more) {
    return train::read_progress(
        {.tensors = {},
         .texts = {{"state.json", R"({"step":1,"samples":4,"dropped":0)" + more + "}"}}});
  };
  CHECK(progress("").health.recent_losses.empty());  // of an earlier version
  const auto state = progress(R"(,"skipped_in_a_row":2,"recent_losses":{"a":[1.5,2]})").health;
  CHECK(state.num_skipped_in_a_row == 2);
  CHECK(state.recent_losses.at("a") == std::vector<double>{1.5, 2});
  CHECK_THROWS_AS(progress(R"(,"skipped_in_a_row":"2")"), UserError);
  std::string many = "1";
  for (std::size_t i = 0; i < train::SpikeDetector::kMemory; ++i) many += ",1";
  for (const std::string& losses :
       {std::string("[]"), std::string(R"({"a":1})"), std::string(R"({"a":[null]})"),
        std::string(R"({"a":[1e999]})"), R"({"a":[)" + many + "]}"})
    CHECK_THROWS_AS(progress(R"(,"recent_losses":)" + losses), UserError);
}

TEST_CASE("health: losses are comparable within a data set, or all where steps mix them") {
  const test::TinyWorld world;
  train::RunConfig config = world.run("run");
  config.data.sets.push_back(config.data.sets[0]);
  config.data.sets[1].name = "others";
  const text::SentencePieceTokenizer tokenizer(world.path("weights/llama/tokenizer.model"));
  std::set<std::string> kinds;
  for (const auto mixing : {datasets::MixingRule::per_step, datasets::MixingRule::within_step}) {
    config.data.mixing = mixing;
    const datasets::Mixture data(config.data, models::model_input(config.model), tokenizer);
    const auto order = train::sample_order(config, data.sources());
    for (std::int64_t step = 0; step < 6; ++step) {
      kinds.insert(train::loss_kind(order, data, step));
      if (mixing == datasets::MixingRule::per_step)
        CHECK(train::loss_kind(order, data, step) ==
              train::samples_of_step(order, data, step).back().dataset);
    }
  }
  CHECK(kinds == std::set<std::string>{"all", "clips", "others"});
}
