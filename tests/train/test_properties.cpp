// What a run promises, shown on a small one: repeatable, resumable, indifferent to accumulation.
#include <ATen/TensorOperators.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <set>

#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "core/files.h"
#include "models/load_video_llama.h"
#include "models/modules.h"
#include "tests/support/tensors.h"
#include "tests/train/tiny_world.h"
#include "train/loop/trainer.h"
#include "train/train.h"
#include "weights/tensor_source.h"

using namespace vllama;
using Catch::Contains;

using test::losses;

namespace {

// fp32 sums in another order, over six steps of a small model; relative.
constexpr double kSumOrderTolerance = 1e-6;

std::string weights_after(const train::RunConfig& config, std::int64_t step) {
  return read_file(std::filesystem::path(config.output_dir) / "checkpoints" /
                   ("step_00000" + std::to_string(step)) / "trainable.safetensors");
}

}  // namespace

TEST_CASE("runs: the same bytes again, resumed at any step, with any number of workers") {
  const test::TinyWorld world;
  const train::RunConfig whole = world.run("whole");
  REQUIRE(train::train(whole, {}) == 0);
  const auto all_losses = losses(whole);
  REQUIRE(all_losses.size() == 6);
  CHECK(all_losses.back() < all_losses.front());

  SECTION("again, decoding in the training thread") {
    train::RunConfig again = world.run("again");
    again.data.loader.num_workers = 0;
    REQUIRE(train::train(again, {}) == 0);
    CHECK(weights_after(again, 6) == weights_after(whole, 6));
    CHECK(losses(again) == all_losses);
  }
  SECTION("resumed after each of its steps") {
    train::RunConfig pieces = world.run("pieces");
    pieces.checkpoints.every_steps = 1;
    pieces.checkpoints.keep_last = 6;
    REQUIRE(train::train(pieces, {}) == 0);
    for (std::int64_t kept = 5; kept >= 1; --kept) {
      for (std::int64_t later = kept + 1; later <= 6; ++later)
        std::filesystem::remove_all(
            world.path("pieces/checkpoints/step_00000" + std::to_string(later)));
      REQUIRE(train::train(pieces, {}) == 0);
      INFO("resumed after step " << kept);
      CHECK(weights_after(pieces, 6) == weights_after(whole, 6));
      CHECK(losses(pieces) == all_losses);
    }
  }
  SECTION("from the checkpoint before a damaged one") {
    train::RunConfig damaged = world.run("damaged");
    REQUIRE(train::train(damaged, {}) == 0);
    for (const char* file : {"optimizer.safetensors", "manifest.json"}) {
      const auto path = world.path("damaged/checkpoints/step_000006") / file;
      std::string bytes = read_file(path);
      bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
      write_file_atomically(path, bytes);
      REQUIRE(train::train(damaged, {}) == 0);
      CHECK(weights_after(damaged, 6) == weights_after(whole, 6));
      CHECK(losses(damaged) == all_losses);
      CHECK_FALSE(checkpoint::step_damage(path.parent_path()));
    }
  }
  SECTION("from a named checkpoint") {
    train::RunConfig from = world.run("from");
    REQUIRE(train::train(from, {.resume = world.path("whole/checkpoints/step_000004")}) == 0);
    CHECK(weights_after(from, 6) == weights_after(whole, 6));
  }
  SECTION("with other threads, folders, logs, and micro-batches of steps of the same size") {
    train::RunConfig from = world.run("moved");
    from.data.loader.num_workers = 0;
    from.training.steps_per_log_line = 7;
    from.checkpoints.every_steps = 1;
    from.training.micro_batch_size = 2;
    CHECK(train::train(from, {.resume = world.path("whole/checkpoints/step_000004")}) == 0);
  }
  SECTION("with another configuration only when told to") {
    train::RunConfig from = world.run("longer");
    from.training.num_epochs = 3;
    const train::TrainOptions again{.resume = world.path("whole/checkpoints/step_000006")};
    CHECK_THROWS_AS(train::train(from, again), UserError);
    train::TrainOptions accepted = again;
    accepted.accept_changes = true;
    REQUIRE(train::train(from, accepted) == 0);
    CHECK(train::read_metrics(world.path("longer/metrics.jsonl")).back().step == 9);
  }
  SECTION("another seed gives another run") {
    train::RunConfig other = world.run("other");
    other.seed = 43;
    REQUIRE(train::train(other, {}) == 0);
    CHECK(weights_after(other, 6) != weights_after(whole, 6));
  }
  SECTION("what must not be overwritten or mixed up is refused") {
    CHECK_THROWS_WITH(train::train(whole, {.resume = "never"}),
                      Contains("already holds checkpoints"));
    train::RunConfig other = whole;
    other.seed = 43;
    CHECK_THROWS_WITH(train::train(other, {}), Contains("seed: '42' in the checkpoint, '43' now"));
    other = whole;
    other.schedule.warmup_steps = 3;
    other.data.sets[0].weight = 2;
    other.model.trainable = {{models::ModuleName::projection, 0}};
    CHECK_THROWS_WITH(train::train(other, {}),
                      Contains("schedule.warmup_steps: '2' in the checkpoint, '3' now") &&
                          Contains("data.sets.0.weight") && Contains("model.trainable.0.module") &&
                          Contains("--accept-changes"));
  }
}

TEST_CASE("runs: k micro-batches give what one batch of all their samples gives") {
  const test::TinyWorld world;
  const train::RunConfig whole = world.run("whole");
  REQUIRE(train::train(whole, {}) == 0);
  train::RunConfig parts = world.run("parts");
  parts.training.micro_batch_size = 1;
  REQUIRE(train::train(parts, {}) == 0);
  const auto expected = losses(whole), actual = losses(parts);
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i)
    CHECK(actual[i] == Approx(expected[i]).epsilon(kSumOrderTolerance));
}

TEST_CASE("runs: remembered features give the same training, to the bit after a resume") {
  const test::TinyWorld world;
  const auto run = [&world](const std::string& name, std::int64_t memory_bytes) {
    train::RunConfig config = world.run(name);
    config.model.feature_memory_bytes = memory_bytes;
    for (auto& set : config.data.sets) {
      set.transform = samples::Transform::eval;  // the same pixels in every pass
      set.sampling = samples::Sampling::uniform;
    }
    return config;
  };
  const train::RunConfig computed = run("computed", 0), remembered = run("remembered", 1 << 20);
  REQUIRE(train::train(computed, {}) == 0);
  REQUIRE(train::train(remembered, {}) == 0);
  const auto expected = losses(computed), actual = losses(remembered);
  REQUIRE(actual.size() == expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i)
    CHECK(actual[i] == Approx(expected[i]).epsilon(kSumOrderTolerance));
  const train::RunConfig resumed = run("resumed", 1 << 20);
  REQUIRE(train::train(resumed, {.resume = world.path("remembered/checkpoints/step_000004")}) == 0);
  const bool is_same = weights_after(resumed, 6) == weights_after(remembered, 6);
  CHECK(is_same);
}

TEST_CASE("runs: recomputed activations give the same training") {
  const test::TinyWorld world;
  const train::RunConfig stored = world.run("stored");
  REQUIRE(train::train(stored, {}) == 0);
  train::RunConfig recomputed = world.run("recomputed");
  recomputed.model.recompute_layers = true;
  REQUIRE(train::train(recomputed, {}) == 0);
  CHECK(weights_after(recomputed, 6) == weights_after(stored, 6));
}

TEST_CASE("runs: a choice of modules is what is saved and resumed, each at its own rate") {
  const test::TinyWorld world;
  const auto chosen = [&world](const std::string& name) {
    train::RunConfig config = world.run(name);
    config.model.trainable = {{models::ModuleName::image_q_former, 1e-5},
                              {models::ModuleName::projection, 0},
                              {models::ModuleName::lora, 2e-4}};
    return config;
  };
  const train::RunConfig whole = chosen("whole");
  REQUIRE(train::train(whole, {}) == 0);
  train::RunConfig resumed = chosen("resumed");
  resumed.checkpoints.every_steps = 1;
  REQUIRE(train::train(resumed, {}) == 0);
  std::filesystem::remove_all(world.path("resumed/checkpoints/step_000006"));
  REQUIRE(train::train(resumed, {}) == 0);
  CHECK(weights_after(resumed, 6) == weights_after(whole, 6));

  const auto model = models::load_video_llama(whole.model, at::kCPU, whole.seed);
  std::set<models::ModuleName> modules;
  for (const auto& trained : train::trained_parameters(*model, whole.schedule)) {
    const models::ModuleName module = models::module_of(trained.name).value();
    modules.insert(module);
    const double peak = module == models::ModuleName::image_q_former ? 1e-5
                        : module == models::ModuleName::lora         ? 2e-4
                                                             : whole.schedule.peak_learning_rate;
    CHECK(trained.learning_rate_factor * whole.schedule.peak_learning_rate == Approx(peak));
  }
  CHECK(modules == std::set<models::ModuleName>{models::ModuleName::image_q_former,
                                                models::ModuleName::lora,
                                                models::ModuleName::projection});
  const auto saved =
      weights::open_weights(world.path("whole/checkpoints/step_000006/trainable.safetensors"));
  CHECK(saved->tensors().size() == model->trainable_parameters().size());
}

TEST_CASE("runs: broken clips are dropped, counted and listed; too many stop the run") {
  const test::TinyWorld world;
  std::filesystem::resize_file(world.path("videos/page/clip0.mp4"), 0);
  std::filesystem::remove(world.path("videos/page/clip1.mp4"));
  train::RunConfig config = world.run("broken");
  config.data.shuffle = false;
  config.training.batch_size = 5;
  REQUIRE(train::train(config, {}) == 0);
  const auto steps = train::read_metrics(world.path("broken/metrics.jsonl"));
  for (const auto& step : steps) {
    CHECK(step.num_samples == 3);
    CHECK(step.dropped == std::map<std::string, std::int64_t>{{"empty", 1}, {"not_found", 1}});
  }
  const std::string listed = read_file(world.path("broken/dropped.jsonl"));
  CHECK(std::count(listed.begin(), listed.end(), '\n') == 12);

  train::RunConfig long_run = world.run("stopped");
  long_run.training.batch_size = 5;
  long_run.data.shuffle = false;
  long_run.training.steps_per_epoch = 100;
  CHECK_THROWS_AS(train::train(long_run, {}), RunFailure);
}

TEST_CASE("runs: a loss that is not finite changes nothing, and stops the run if it goes on") {
  const test::TinyWorld world;
  train::RunConfig config = world.run("unstable");
  config.schedule.peak_learning_rate = 1;
  config.schedule.warmup_learning_rate = 1;
  config.optimizer.epsilon = 0;
  config.training.steps_per_epoch = 40;
  config.training.max_bad_steps = 3;
  const auto model = models::load_video_llama(config.model, at::kCPU, config.seed);
  distributed::Communicator one_rank;
  train::Trainer trainer(config, *model, one_rank);
  const auto parameters = model->trainable_parameters();
  parameters.front().tensor->detach().fill_(std::numeric_limits<float>::infinity());
  const at::Tensor before = parameters.back().tensor->detach().clone();
  samples::Batch batch;
  samples::Example example{
      .id = "a",
      .media = {{.values = test::random_tensor({3, 28, 28, 3}, 1).to(at::kByte), .num_tokens = 4}},
      .token_ids = {1, 32000, 32000, 32000, 32000, 5, 6},
      .labels = {-100, -100, -100, -100, -100, 5, 6}};
  const auto result = trainer.step(0, [&] {
    return datasets::LoadedBatch{samples::pack(std::span(&example, 1), 32000), {}};
  });
  CHECK(result.metrics.skipped);
  CHECK(test::same_bits(parameters.back().tensor->detach(), before));
}

TEST_CASE("runs: mistakes are found before training") {
  const test::TinyWorld world;
  const auto refused = [&](auto change, const std::string& message) {
    train::RunConfig config = world.run("refused");
    change(config);
    CHECK_THROWS_WITH(train::train(config, {}), Contains(message));
  };
  refused([](auto& c) { c.data.sets[0].num_frames = 33; }, "max_frame_positions = 32");
  refused([](auto& c) { c.data.captions.max_tokens = 100; }, "64 positions");
  refused([](auto& c) { c.data.sets[0].annotations = "/nowhere"; }, "/nowhere");
  refused([](auto& c) { c.model.weights.q_former = "/nowhere.pth"; }, "/nowhere.pth");
  refused([](auto& c) { c.device = distributed::DeviceChoice::cuda; }, "no GPU");
  refused([&](auto& c) { c.output_dir = world.path("annotations/clips.csv"); }, "output_dir");
  std::filesystem::remove(world.path("weights/llama/model.safetensors"));
  refused([](auto&) {}, "llama");
}
