#include <ATen/Parallel.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "models/base_files.h"
#include "models/load_video_llama.h"
#include "tests/support/fixtures.h"
#include "tests/toy_world/senses/sizes.h"
#include "toy_world/senses/base_models.h"
#include "toy_world/senses/captions.h"

using namespace vllama;

namespace {

constexpr toy::GateSizes kFewScenes{
    .num_fitted = 1000, .num_tested = 300, .num_prototypes = 100, .num_matched = 60};

double mean(const std::vector<double>& losses, std::size_t first, std::size_t count) {
  const auto begin = losses.begin() + static_cast<std::ptrdiff_t>(first);
  return std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(count), 0.0) /
         static_cast<double>(count);
}

double value(const std::vector<toy::Gate>& gates, const std::string& name) {
  const auto found = std::ranges::find(gates, name, &toy::Gate::name);
  REQUIRE(found != gates.end());
  return found->value;
}

}  // namespace

TEST_CASE("vision: training lowers the loss, and the gates tell what it learnt") {
  log::quiet();
  at::set_num_threads(1);
  models::Branch vision = models::make_branch(test::tiny_toy_sizes().vision, 32);
  toy::train_vision(vision, {.num_steps = 1, .peak_learning_rate = 0}, 1);
  const auto before = toy::vision_gates(vision, 1, kFewScenes);
  const auto losses = toy::train_vision(vision, {.num_steps = 150, .peak_learning_rate = 3e-3}, 1);
  const auto after = toy::vision_gates(vision, 1, kFewScenes);
  CHECK(mean(losses, 130, 20) < 0.75 * mean(losses, 0, 20));
  CHECK(value(after, "colour") > value(before, "colour") + 0.05);
  CHECK_FALSE(toy::all_passed(before));
}

TEST_CASE("ImageBind: both contrasts lower their loss") {
  log::quiet();
  at::set_num_threads(1);
  const auto sizes = test::tiny_toy_sizes();
  models::Branch vision = models::make_branch(sizes.vision, 32);
  toy::train_vision(vision, {.num_steps = 1}, 1);
  encoders::EvaVit encoder(sizes.vision.encoder.as<encoders::EvaVitConfig>());
  nn::ParameterList trained, copied;
  vision.declare_encoders(trained);
  encoder.declare(copied);
  for (std::size_t i = 0; i < trained.size(); ++i) *copied[i].tensor = *trained[i].tensor;
  toy::ImageBind image_bind(*sizes.audio);
  toy::TextTrunk text(toy::CaptionWords().num_words(), toy::kCaptionLength, 32);
  const auto captions =
      toy::train_image_text(image_bind, text, encoder,
                            {.num_steps = 120, .batch_size = 16, .peak_learning_rate = 1e-3}, 1);
  CHECK(mean(captions, 100, 20) < mean(captions, 0, 20) - 0.2);
  const auto sounds = toy::train_sound(
      image_bind, {.num_steps = 20, .batch_size = 16, .num_pairs = 60, .peak_learning_rate = 3e-3},
      1);
  CHECK(mean(sounds, 15, 5) < mean(sounds, 0, 5) - 0.3);
}

TEST_CASE("base models: one seed gives the same files, which a model loads") {
  log::quiet();
  at::set_num_threads(1);
  const test::TemporaryFolder folder;
  const auto sizes = test::tiny_toy_sizes();
  constexpr toy::GateSizes kNone{
      .num_fitted = 200, .num_tested = 100, .num_prototypes = 60, .num_matched = 20};
  for (const char* name : {"first", "second"}) {
    const toy::BaseFiles files{sizes, folder.path() / name};
    const auto seen = toy::make_vision(files, {.num_steps = 3, .batch_size = 8}, 7, kNone);
    const auto heard =
        toy::make_image_bind(files, {.num_steps = 3, .batch_size = 8},
                             {.num_steps = 3, .batch_size = 8, .num_pairs = 10}, 7, kNone);
    const auto measured = toy::measure(files, 7, kNone);
    REQUIRE(measured.size() + 1 == seen.size() + heard.size());
    CHECK(measured.front().value == seen.front().value);
    CHECK(measured.back().value == heard.back().value);
  }
  const models::WeightFiles written{
      .vision_encoder = (folder.path() / "first" / models::kVisionEncoderFile).string(),
      .q_former = (folder.path() / "first" / models::kImageQFormerFile).string(),
      .image_bind = (folder.path() / "first" / models::kImageBindFile).string(),
      .language_model = (folder.path() / "random/llama").string()};
  for (const char* file :
       {models::kVisionEncoderFile, models::kImageQFormerFile, models::kImageBindFile})
    CHECK(read_file(folder.path() / "first" / file) == read_file(folder.path() / "second" / file));

  models::write_random_weights(sizes, 50, 1, folder.path() / "random");
  models::ModelConfig config;
  config.branches = models::BranchSet::vision_and_audio;
  config.vision = sizes.vision;
  config.audio = *sizes.audio;
  config.weights = written;
  CHECK_NOTHROW(models::load_video_llama(config, at::kCPU, 1));
}

TEST_CASE("base models: missing files and sizes are named") {
  const test::TemporaryFolder folder;
  auto sizes = test::tiny_toy_sizes();
  CHECK_THROWS_AS(toy::measure({sizes, folder.path()}, 1), UserError);
  CHECK_THROWS_AS(toy::make_image_bind({sizes, folder.path()}, {}, {}, 1), UserError);
  sizes.audio.reset();
  CHECK_THROWS_AS(toy::make_image_bind({sizes, folder.path()}, {}, {}, 1), UserError);
}
