// Steps and runs opened for use: the model is the one that was trained.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/tensors.h"
#include "tests/train/recorded_run.h"
#include "tests/train/tiny_world.h"
#include "train/saved/open_saved.h"
#include "train/train.h"

using namespace vllama;
using namespace vllama::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("steps and runs open as the model that was trained") {
  const TinyWorld world;
  const train::RunConfig config = world.run("run");
  REQUIRE(train::train(config, {}) == 0);
  const fs::path run = config.output_dir;
  const auto newest = train::open_saved(run, at::kCPU);
  CHECK(newest.origin.step == 6);
  CHECK(newest.chat.layout == text::LayoutKind::training);
  CHECK(newest.chat.num_frames == 3);
  const auto trained = checkpoint::load_step(run / "checkpoints/step_000006");
  std::size_t compared = 0;
  for (const auto& parameter : newest.model->trainable_parameters()) {
    CHECK_FALSE(parameter.tensor->requires_grad());
    CHECK(parameter.tensor->equal(trained.contents.tensors.at("trainable").at(parameter.name)));
    ++compared;
  }
  CHECK(compared == trained.contents.tensors.at("trainable").size());
  CHECK(train::open_saved(run / "checkpoints/step_000004/", at::kCPU).origin.step == 4);
  CHECK(train::open_saved(run / "best", at::kCPU).origin.step > 0);
}
