// Runs that evaluate their model while they train it.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "core/files.h"
#include "tests/train/tiny_world.h"
#include "train/train.h"

using namespace vllama;
using Catch::Contains;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

constexpr std::int64_t kMaxPositions = 320;

// Six steps, evaluated every two, on the run's own clips.
train::RunConfig run_of(const test::TinyWorld& world, const std::string& name) {
  train::RunConfig config = world.run(name);
  const fs::path questions = world.path("questions.jsonl");
  std::string clip;
  for (const auto& entry : fs::recursive_directory_iterator(world.path("videos")))
    if (entry.path().extension() == ".mp4") clip = entry.path().string();
  write_file_atomically(
      questions,
      Json{{"id", 1}, {"video", clip}, {"question", "What?"}, {"answer", "bars"}}.dump() + "\n");
  config.eval.every_steps = 2;
  config.eval.generation.max_new_tokens = 3;
  eval::TaskConfig task;
  task.name = "own";
  task.format = "questions";
  task.annotations = questions.string();
  task.media_root = world.path("videos").string();
  config.eval.tasks = {task};
  datasets::DataConfig held_out = config.data;
  held_out.sets.resize(1);
  held_out.sets[0].name = "held_out";
  config.eval.losses = {held_out};
  config.checkpoints.every_steps = 2;
  config.checkpoints.keep_last = 1;
  config.checkpoints.keep_best = 1;
  config.checkpoints.best_metric = "eval/held_out/loss";
  return config;
}

std::vector<Json> lines_of(const fs::path& file) {
  std::vector<Json> lines;
  std::istringstream text(read_file(file));
  for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
  return lines;
}

fs::path folder_of(const train::RunConfig& config) {
  return config.output_dir;
}

}  // namespace

TEST_CASE("validation: scores at their steps, reports, the best checkpoint by a held-out loss") {
  const test::TinyWorld world(kMaxPositions);
  const train::RunConfig config = run_of(world, "run");
  REQUIRE(train::train(config, {}) == 0);
  const auto lines = lines_of(folder_of(config) / "eval.jsonl");
  REQUIRE(lines.size() == 3);
  std::int64_t best_step = 0;
  double best_loss = 1e9;
  for (const Json& line : lines) {
    CHECK(line.contains("eval/own/exact_match"));
    const double loss = line.at("eval/held_out/loss");
    CHECK(line.at("eval/held_out/perplexity").get<double>() == Approx(std::exp(loss)));
    if (loss < best_loss) best_step = line.at("step");
    best_loss = std::min(best_loss, loss);
  }
  CHECK(lines[2].at("step") == 6);
  CHECK(lines[0].at("eval/held_out/loss") != lines[2].at("eval/held_out/loss"));
  CHECK(fs::exists(folder_of(config) / "eval/step_000004/report.html"));
  CHECK(fs::exists(folder_of(config) / "eval/step_000004/own/predictions.jsonl"));
  std::set<std::int64_t> kept;
  for (const auto& step : checkpoint::list_steps(folder_of(config) / "checkpoints"))
    kept.insert(step.step);
  CHECK(kept == std::set<std::int64_t>{best_step, 6});

  SECTION("it changes nothing of the training") {
    auto plain = run_of(world, "plain");
    plain.eval.every_steps = 0;
    plain.checkpoints.best_metric = "loss";
    REQUIRE(train::train(plain, {}) == 0);
    CHECK(test::losses(plain) == test::losses(config));
    const auto weights = [](const train::RunConfig& run) {
      return read_file(folder_of(run) / "checkpoints/step_000006/trainable.safetensors");
    };
    CHECK(weights(plain) == weights(config));
  }
}

TEST_CASE("validation: settings that cannot work are told before training") {
  const test::TinyWorld world(kMaxPositions);
  const auto fails = [&](const auto& change, const std::string& expected) {
    auto config = run_of(world, "failing");
    change(config);
    CHECK_THROWS_WITH(train::train(config, {}), Contains(expected));
  };
  using Config = train::RunConfig;
  fails([](Config& config) { config.checkpoints.best_metric = "eval/other/loss"; },
        "'eval/other/loss' is not measured");
  fails([](Config& config) { config.checkpoints.every_steps = 3; },
        "a multiple of eval.every_steps");
  fails(
      [](Config& config) {
        config.eval.tasks.clear();
        config.eval.losses.clear();
        config.checkpoints.best_metric = "loss";
      },
      "both empty");
  fails([](Config& config) { config.eval.tasks[0].annotations = "nowhere.jsonl"; },
        "nowhere.jsonl");
}
