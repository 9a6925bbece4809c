// What may not be gone on with: check and train say so alike, before a weight is read.
#include <catch2/catch.hpp>

#include "core/files.h"
#include "tests/support/logged_text.h"
#include "tests/train/half_run.h"
#include "train/check/check.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;
using test::half_run;
using test::refusal_before_weights;
using test::refusal_of;
namespace fs = std::filesystem;

namespace {

void replace_in(const fs::path& file, const std::string& from, const std::string& to) {
  std::string text = read_file(file);
  const std::size_t place = text.find(from);
  REQUIRE(place != std::string::npos);
  write_file_atomically(file, text.replace(place, from.size(), to));
}

// Of the last tensor of a file.
void change_last_byte(const fs::path& file) {
  std::string bytes = read_file(file);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_file_atomically(file, bytes);
}

// Going on is refused by both with the same words, before a weight is read.
std::string resume_refusal(const RunConfig& config, const TrainOptions& options = {}) {
  const std::string refusal = refusal_before_weights(config, options);
  const CheckReport report =
      check(config, {.resume = options.resume, .accept_changes = options.accept_changes});
  CHECK(report.problems == std::vector<std::string>{refusal});
  return refusal;
}

// With --accept-changes both go on, and say with what.
void goes_on_with(const RunConfig& config, const std::string& change) {
  const CheckReport report = check(config, {.accept_changes = true});
  CAPTURE(report.problems);
  CHECK(report.problems.empty());
  REQUIRE(report.warnings.size() == 1);
  CHECK_THAT(report.warnings[0],
             Contains("with something else than it was trained with") && Contains(change));
  CHECK(train::train(config, {.accept_changes = true}) == 0);
}

}  // namespace

TEST_CASE(
    "rules: what a run may not go on with is refused by check, too, and before a weight is read") {
  const test::TinyWorld world;
  RunConfig config = half_run(world);
  std::string change;
  SECTION("annotations") {
    replace_in(world.path("annotations/clips.csv"), "number 3", "number 9");
    change = "clips.csv' has other content of the same size";
  }
  SECTION("media") {
    fs::copy_file(world.path("videos/page/clip1.mp4"), world.path("videos/page/clip0.mp4"),
                  fs::copy_options::overwrite_existing);
    change = "medium of entry 0";
  }
  SECTION("base weights") {
    change_last_byte(world.path("weights/llama/model.safetensors"));
    change = "model.safetensors' has other content of the same size";
  }
  SECTION("a setting") {
    config.schedule.warmup_steps = 1;
    change = "schedule.warmup_steps: '2' in the checkpoint, '1' now";
  }
  CHECK_THAT(resume_refusal(config), Contains("this would train something else") &&
                                         Contains(change) && Contains("--accept-changes"));
  goes_on_with(config, change);
}

TEST_CASE("rules: --accept-changes is not offered where the checkpoint does not fit the model") {
  const test::TinyWorld world;
  RunConfig config = half_run(world);
  config.model.trainable = {{models::ModuleName::projection}, {models::ModuleName::lora}};
  const std::string refusal = resume_refusal(config);
  CHECK_THAT(refusal,
             Contains("model.trainable") && Contains("does not fit the configured model") &&
                 Contains("missing: llama_model.model.layers.0.self_attn.q_proj.lora_A.weight") &&
                 Contains("--accept-changes cannot go on"));
  CHECK(resume_refusal(config, {.accept_changes = true}) == refusal);
}

TEST_CASE("rules: checkpoints that cannot be gone on from are named by check") {
  const test::TinyWorld world;
  const RunConfig config = half_run(world);
  CHECK(check(config, {}).problems.empty());
  CHECK_THAT(resume_refusal(config, {.resume = "never"}), Contains("already holds checkpoints"));
  CHECK_THAT(resume_refusal(config, {.resume = world.path("nowhere")}), Contains("nowhere"));
  for (const char* step : {"step_000002", "step_000004"})
    write_file_atomically(world.path("run/checkpoints") / step / "state.json", "{}");
  CHECK_THAT(resume_refusal(config), Contains("all checkpoints in") && Contains("are damaged"));
}

TEST_CASE("rules: of a resume check compares what is there while weights are missing") {
  const test::TinyWorld world;
  const RunConfig config = half_run(world);
  fs::remove(world.path("weights/blip2_qformer.pth"));
  replace_in(world.path("annotations/clips.csv"), "number 3", "number 9");
  const CheckReport report = check(config, {.media = MediaCheck::none});
  CAPTURE(report.problems);
  REQUIRE(report.problems.size() == 2);
  CHECK_THAT(report.problems[0], Contains("model.weights.q_former: "));
  CHECK_THAT(report.problems[1], Contains("clips.csv' has other content"));
  CHECK(refusal_of(config) == report.problems[0]);
}

TEST_CASE("rules: a starting point that is gone and that the checkpoint replaces is not missed") {
  const test::TinyWorld world;
  REQUIRE(train::train(world.run("first"), {}) == 0);
  RunConfig config = world.run("run");
  config.model.weights.saved_step =
      world.path("first/checkpoints/step_000006/trainable.safetensors");
  REQUIRE(train::train(config, {}) == 0);
  fs::remove_all(world.path("run/checkpoints/step_000006"));
  fs::remove_all(world.path("first"));
  CHECK(check(config, {}).problems.empty());
  CHECK(train::train(config, {}) == 0);
}
