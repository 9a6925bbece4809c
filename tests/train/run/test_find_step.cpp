// All the ways in which users name a checkpoint.
#include <ATen/ops/full.h>

#include <catch2/catch.hpp>

#include "checkpoint/step_directory.h"
#include "core/error.h"
#include "core/files.h"
#include "tests/support/fixtures.h"
#include "train/provenance/provenance.h"
#include "train/run/find_step.h"
#include "train/run/run_folder.h"
#include "train/run/run_state.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

// A run of three steps of which the second is the best, if the lowest loss is.
struct SavedRun {
  test::TemporaryFolder folder;
  fs::path run = folder.path() / "run";

  explicit SavedRun(const std::string& config = "checkpoints: {best_metric: loss}\n") {
    const std::vector<double> losses = {3, 1, 2};
    for (std::size_t i = 0; i < losses.size(); ++i) {
      const auto step = static_cast<std::int64_t>(i + 1);
      checkpoint::save_step(
          run / "checkpoints", step,
          {.tensors = {{"trainable", {{"w", at::full({2}, 1)}}},
                       {"optimizer", {{"w.exp_avg", at::full({2}, 1)}}}},
           .texts = {{"config.yaml", config},
                     {kStateFile, state_text({.num_steps_done = step}, {{"loss", losses[i]}})}}});
    }
    for (const char* name : {"config.yaml", kProvenanceFile})
      write_file_atomically(run / name, config);
  }
  fs::path step(int number) const {
    return run / "checkpoints" / ("step_00000" + std::to_string(number));
  }
  void damage(int number, const std::string& file) const {
    write_file_atomically(step(number) / file, "other");
  }
};

}  // namespace

TEST_CASE("find step: a step, a run, the best, and files in them") {
  const SavedRun saved;
  for (const fs::path name :
       {"", "checkpoints", "checkpoints/", "config.yaml", "checkpoints/step_000003",
        "checkpoints/step_000003/", "checkpoints/step_000003/state.json",
        "checkpoints/step_000003/trainable.safetensors"}) {
    CAPTURE(name);
    const auto found = find_step(saved.run / name);
    REQUIRE(found);
    CHECK(fs::equivalent(*found, saved.step(3)));
  }
  CHECK(find_step(saved.run / "best") == saved.step(2));
  CHECK(find_step(saved.run / "checkpoints/best") == saved.step(2));
  CHECK(find_step(SavedRun("checkpoints: {best_is: highest}\n").run / "best")->filename() ==
        "step_000001");
}

TEST_CASE("find step: what names no step") {
  const SavedRun saved;
  write_file_atomically(saved.run / "mine.yaml", "seed: 1\n");
  write_file_atomically(saved.folder.path() / "config.yaml", "seed: 1\n");
  fs::create_directories(saved.folder.path() / "own");
  fs::copy(saved.run / "checkpoints", saved.folder.path() / "own/checkpoints",
           fs::copy_options::recursive);
  write_file_atomically(saved.folder.path() / "own/config.yaml", "seed: 1\n");
  for (const char* name :
       {"run/mine.yaml", "config.yaml", "own/config.yaml", "nowhere", "run/nowhere", "best"})
    CHECK_FALSE(find_step(saved.folder.path() / name));
  fs::create_directories(saved.folder.path() / "new/checkpoints");
  CHECK_THROWS_WITH(find_step(saved.folder.path() / "new"), Contains("holds no checkpoint"));
  CHECK_THROWS_WITH(find_step(saved.folder.path() / "new/best"), Contains("holds no checkpoint"));
}

TEST_CASE("find step: damaged steps are passed over, as far as what is needed goes") {
  const SavedRun saved;
  saved.damage(3, "optimizer.safetensors");
  CHECK(find_step(saved.run) == saved.step(3));
  CHECK(find_step(saved.run, {}) == saved.step(2));
  saved.damage(2, kStateFile);
  CHECK(find_step(saved.run / "best") == saved.step(3));
  CHECK(find_step(saved.step(2)) == saved.step(2));  // named itself: using it says what is wrong
  saved.damage(1, kTrainedFile);
  CHECK_THROWS_WITH(find_step(saved.run, {}), Contains("are damaged"));
}

TEST_CASE("find step: what a run goes on from is named in the same ways") {
  const SavedRun saved;
  const RunFolder other(saved.folder.path() / "other");
  const auto step_of = [&](const fs::path& name) {
    return other.load_checkpoint(name)->directory.step;
  };
  CHECK(step_of(saved.run) == 3);
  CHECK(step_of(saved.run / "best") == 2);
  CHECK(step_of(saved.run / "checkpoints") == 3);
  CHECK(step_of(saved.step(1) / "state.json") == 1);
  CHECK_THROWS_WITH(step_of(saved.folder.path() / "nowhere"), Contains("nowhere' cannot be used"));
}

TEST_CASE("find step: starting points name the file that is read") {
  const SavedRun saved;
  models::WeightFiles weights;
  weights.vision_checkpoint = saved.run;
  weights.audio_checkpoint = saved.run / "best";
  weights.saved_step = saved.step(1) / "manifest.json";
  weights.projection = "published.pth";
  find_starting_points(weights);
  CHECK(weights.vision_checkpoint == saved.step(3) / kTrainedFile);
  CHECK(weights.audio_checkpoint == saved.step(2) / kTrainedFile);
  CHECK(weights.saved_step == saved.step(1) / kTrainedFile);
  CHECK(weights.projection == "published.pth");
}

TEST_CASE("find step: the run of a step") {
  CHECK(run_of_step("/a/run/checkpoints/step_000001") == fs::path("/a/run"));
  CHECK_FALSE(run_of_step("/a/kept/step_000001"));
}
