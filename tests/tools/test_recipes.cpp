// Twenty steps of every recipe with small weights, from the shipped configuration and the data that
// the demo makes: the loss falls, and nothing but the named parameters changes.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <numeric>

#include "core/files.h"
#include "datasets/loading/mixture.h"
#include "models/load_video_llama.h"
#include "models/model_input.h"
#include "tests/support/fixtures.h"
#include "tests/support/tensors.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "train/loop/trainer.h"
#include "weights/write.h"

using namespace vllama;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kNumSteps = 20;

// The data and weights of the demo, made once.
const fs::path& demo_folder() {
  static const test::TemporaryFolder folder;
  static const bool is_made = [] {
    const std::string command =
        fmt::format("script=$PWD/tools/demo_data.sh; cd '{}' && \"$script\" '{}' >demo.log 2>&1",
                    folder.path().string(), VLLAMA_PROGRAM);
    return std::system(command.c_str()) == 0;
  }();
  INFO(read_file(folder.path() / "demo.log"));
  REQUIRE(is_made);
  return folder.path();
}

train::RunConfig demo_run(const std::string& name) {
  auto config = config::read<train::RunConfig>(
      config::load_file(fmt::format("configs/runs/demo_{}.yaml", name)));
  const auto move = [](std::string& path) {
    if (path.starts_with("demo/")) path = demo_folder() / path;
  };
  auto& weights = config.model.weights;
  for (std::string* path : {&weights.vision_encoder, &weights.q_former, &weights.image_bind,
                            &weights.language_model, &config.output_dir})
    move(*path);
  for (auto& set : config.data.sets) {
    move(set.annotations);
    move(set.media_root);
  }
  config.num_threads = 1;
  config.training.num_epochs = 1;
  config.training.steps_per_epoch = kNumSteps;
  config.schedule.warmup_steps = 2;
  return config;
}

nn::ParameterList frozen_parameters(models::VideoLlama& model) {
  nn::ParameterList list;
  for (models::Branch& branch : model.branches()) {
    branch.declare_encoders(list);
    branch.declare_resampler(list);
  }
  model.language_model().declare(list);
  return list;
}

std::vector<at::Tensor> copies(const nn::ParameterList& parameters) {
  std::vector<at::Tensor> values;
  for (const nn::Parameter& parameter : parameters)
    values.push_back(parameter.tensor->detach().clone());
  return values;
}

// Trains, checks, and returns what was trained.
weights::NamedTensors train_and_check(const train::RunConfig& config) {
  const text::SentencePieceTokenizer tokenizer(fs::path(config.model.weights.language_model) /
                                               "tokenizer.model");
  const datasets::Mixture data(config.data, models::model_input(config.model), tokenizer);
  const auto model = models::load_video_llama(config.model, at::kCPU, config.seed);
  const nn::ParameterList frozen = frozen_parameters(*model);
  const nn::ParameterList trainable = model->trainable_parameters();
  distributed::Communicator one_rank;
  train::Trainer trainer(config, *model, one_rank);
  const auto frozen_before = copies(frozen), trained_before = copies(trainable);
  const datasets::SampleOrder order(
      data.sources(), {.samples_per_step = config.training.batch_size, .seed = config.seed});
  datasets::Loader loader(order, data, {.end_step = kNumSteps}, config.data.loader,
                          tokenizer.image_token());
  std::vector<double> losses;
  for (std::int64_t step = 0; step < kNumSteps; ++step)
    losses.push_back(trainer.step(step, [&] { return loader.next(); }).metrics.loss);
  CHECK(loader.counters().num_dropped == 0);
  CHECK(std::reduce(losses.end() - 5, losses.end()) <
        std::reduce(losses.begin(), losses.begin() + 5));

  for (std::size_t i = 0; i < frozen.size(); ++i) {
    INFO(frozen[i].name);
    CHECK(test::same_bits(*frozen[i].tensor, frozen_before[i]));
  }
  for (std::size_t i = 0; i < trainable.size(); ++i) {
    INFO(trainable[i].name);
    CHECK_FALSE(test::same_bits(trainable[i].tensor->detach(), trained_before[i]));
  }
  CHECK(trainable.size() == 58);
  return trainer.state().at("trainable");
}

}  // namespace

TEST_CASE("recipes: both stages of the vision branch") {
  const auto first = train_and_check(demo_run("vision_stage1"));
  auto second = demo_run("vision_stage2");
  second.model.weights.vision_checkpoint = demo_folder() / "vision_stage1.safetensors";
  weights::write_safetensors(second.model.weights.vision_checkpoint, first);
  train_and_check(second);
}

TEST_CASE("recipes: both stages of the audio branch, on pictures") {
  const auto first = train_and_check(demo_run("audio_stage1"));
  auto second = demo_run("audio_stage2");
  second.model.weights.audio_checkpoint = demo_folder() / "audio_stage1.safetensors";
  weights::write_safetensors(second.model.weights.audio_checkpoint, first);
  train_and_check(second);
}

TEST_CASE("recipes: the audio branch on sounds, mixed with pictures") {
  train_and_check(demo_run("audio_on_sound"));
}
