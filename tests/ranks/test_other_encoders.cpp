// Encoders and connectors that the original does not have: twenty steps of each combination learn,
// go on after a stop as if there had been none, are the same on two ranks, and open again.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/files.h"
#include "models/random_weights.h"
#include "tests/ranks/runs.h"
#include "tests/support/small_tower.h"
#include "tests/support/tensors.h"
#include "train/export/export.h"
#include "train/saved/open_saved.h"

using namespace vllama;
using namespace vllama::test;
using models::ModuleName;

namespace {

constexpr double kRankTolerance = 1e-4;  // of losses: sums in another order, over twenty steps

constexpr models::QFormerConfig kQFormer{.num_queries = 3,
                                         .num_layers = 2,
                                         .width = 16,
                                         .num_heads = 2,
                                         .mlp_width = 32,
                                         .cross_attention_every = 1};

template <class Sizes>
Sizes tower() {
  return small_tower<Sizes>({.image_size = 30, .patch_size = 7}, 16, 3, 32);
}

// A combination, and how a run of the world is changed to have it.
struct Combination {
  const char* name;
  std::function<void(models::ModelConfig&)> change;
};

void use_siglip(models::ModelConfig& model) {
  model.vision.encoder = tower<encoders::SiglipConfig>();
  model.vision.q_former = kQFormer;
}

void use_mlp(models::ModelConfig& model) {
  model.vision.connector = models::ConnectorKind::mlp;
  model.vision.positions = models::PositionKind::none;
  model.vision.mlp = {.merge = 2, .clip_pooling = 1};
}

void use_whisper(models::ModelConfig& model) {
  model.branches = models::BranchSet::audio;
  model.audio.encoder = encoders::WhisperConfig{.num_mel_bins = 80,
                                                .width = 16,
                                                .num_blocks = 2,
                                                .num_heads = 2,
                                                .mlp_width = 32,
                                                .max_positions = 100};
  model.audio.q_former = kQFormer;
  model.audio.window_seconds = 0.5;
}

const Combination kCombinations[] = {
    {"siglip, Q-Former", use_siglip},
    {"siglip, a Q-Former over each frame that starts from nothing",
     [](models::ModelConfig& model) {
       use_siglip(model);
       model.vision.frame_resampler = models::FrameResampler::q_former;
       model.vision.resampler = kQFormer;
       model.trainable = {{ModuleName::image_q_former},
                          {ModuleName::video_q_former},
                          {ModuleName::frame_positions},
                          {ModuleName::projection}};
     }},
    {"clip, layer -2, MLP",
     [](models::ModelConfig& model) {
       auto sizes = tower<encoders::ClipConfig>();
       sizes.layer = -2;
       model.vision.encoder = sizes;
       use_mlp(model);
     }},
    {"siglip whose last block trains, MLP",
     [](models::ModelConfig& model) {
       use_siglip(model);
       use_mlp(model);
       model.trainable = {
           {.module = ModuleName::vision_encoder, .learning_rate = 1e-3, .last_blocks = 1},
           {ModuleName::vision_mlp},
           {ModuleName::projection},
           {ModuleName::lora}};
     }},
    {"whisper, windows", use_whisper},
    {"whisper that trains",
     [](models::ModelConfig& model) {
       use_whisper(model);
       model.trainable = {{.module = ModuleName::audio_encoder, .learning_rate = 1e-3},
                          {ModuleName::audio_q_former},
                          {ModuleName::audio_positions},
                          {ModuleName::audio_projection}};
     }},
    {"siglip and whisper with adapters, sound among frames",
     [](models::ModelConfig& model) {
       use_whisper(model);
       use_siglip(model);
       use_mlp(model);
       model.branches = models::BranchSet::vision_and_audio;
       model.vision.encoder_lora = {.rank = 2, .alpha = 4, .targets = {"q_proj", "v_proj"}};
       model.audio.encoder_lora.rank = 2;
       model.trainable = {
           {.module = ModuleName::vision_encoder_lora, .learning_rate = 1e-3, .last_blocks = 2},
           {.module = ModuleName::audio_encoder_lora, .learning_rate = 1e-3},
           {ModuleName::vision_mlp},
           {ModuleName::projection},
           {ModuleName::audio_q_former},
           {ModuleName::audio_positions},
           {ModuleName::audio_projection}};
     }},
};

// Three tones, beside pictures or alone, and what they are.
void make_sounds(const TinyWorld& world, bool with_pictures) {
  std::filesystem::create_directories(world.path("sounds"));
  const char* ending = with_pictures ? "mkv" : "wav";
  std::string lines;
  for (int i = 0; i < 3; ++i) {
    const double seconds = 0.7 + i;
    const std::string pictures =
        with_pictures
            ? fmt::format("-f lavfi -i testsrc=size=64x48:rate=10:duration={} -c:v mpeg4", seconds)
            : "";
    REQUIRE(std::system(fmt::format("ffmpeg -nostdin -v error -f lavfi -i "
                                    "sine=frequency={}:duration={} {} -ar 16000 -c:a pcm_s16le "
                                    "'{}'",
                                    300 + 500 * i, seconds, pictures,
                                    world.path(fmt::format("sounds/{}.{}", i, ending)).string())
                            .c_str()) == 0);
    lines +=
        nlohmann::json{
            {"id", i},
            {"caption", fmt::format("tone number {}", i)},
            {"media", {{{with_pictures ? "video" : "audio", fmt::format("{}.{}", i, ending)}}}}}
            .dump() +
        "\n";
  }
  write_file_atomically(world.path("sounds.jsonl"), lines);
}

void use_sounds(const TinyWorld& world, train::RunConfig& config) {
  make_sounds(world, config.model.has_vision());
  datasets::DatasetConfig set;
  set.num_frames = 4;
  set.name = "sounds";
  set.format = "vllama";
  set.annotations = world.path("sounds.jsonl");
  set.media_root = world.path("sounds");
  config.data.sets = {set};
  config.data.conversations.max_tokens = 60;
  config.data.interleave = config.model.has_vision();
}

// A run of twenty steps with random weights of the combination.
train::RunConfig run_of(const TinyWorld& world, const Combination& combination) {
  train::RunConfig config = run_of_20_steps(world, "run");
  combination.change(config.model);
  models::WeightSizes sizes{
      .vision = config.model.vision,
      .language = {.width = 16, .mlp_width = 32, .num_layers = 1, .num_heads = 2}};
  if (config.model.has_audio()) sizes.audio = config.model.audio;
  models::write_random_weights(sizes, 32000, 2, world.path("other"));
  models::WeightFiles& weights = config.model.weights;
  weights.vision_encoder = world.path("other/vision_encoder.safetensors");
  weights.audio_encoder = world.path("other/audio_encoder.safetensors");
  weights.q_former = "";
  if (config.model.has_audio()) use_sounds(world, config);
  return config;
}

train::RunConfig copy_of(train::RunConfig config, const TinyWorld& world, const char* name) {
  config.output_dir = world.path(name);
  return config;
}

double mean(const double* begin, const double* end) {
  return std::reduce(begin, end) / static_cast<double>(end - begin);
}

void check_opens(const train::RunConfig& config, const TinyWorld& world) {
  const auto run = train::open_saved(config.output_dir, at::kCPU);
  train::export_bundle({.checkpoint = config.output_dir, .output = world.path("bundle")},
                       train::BaseWeights::copy);
  const auto bundle = train::open_saved(world.path("bundle"), at::kCPU, {.verify = true});
  const auto expected = run.model->module_parameters(), found = bundle.model->module_parameters();
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO(found[i].name);
    CHECK(found[i].name == expected[i].name);
    CHECK(same_bits(*found[i].tensor, *expected[i].tensor));
  }
}

}  // namespace

TEST_CASE("other encoders: every combination learns, goes on, spreads and opens") {
  const Combination& combination = kCombinations[GENERATE(range(0, 7))];
  CAPTURE(combination.name);
  const TinyWorld world;
  const train::RunConfig config = run_of(world, combination);
  train_on(1, config);
  const std::vector<double> whole = losses(config);
  REQUIRE(whole.size() == 20);
  CHECK(mean(whole.data() + 15, whole.data() + 20) < mean(whole.data(), whole.data() + 5));
  const std::string trained = read_file(trained_weights(config));
  check_opens(config, world);

  go_back_to(config, 10);
  train_on(1, config);
  CHECK(read_file(trained_weights(config)) == trained);

  const train::RunConfig spread = copy_of(config, world, "spread");
  train_on(2, spread);
  const std::vector<double> on_two = losses(spread);
  REQUIRE(on_two.size() == 20);
  for (std::size_t i = 0; i < on_two.size(); ++i)
    CHECK(on_two[i] == Approx(whole[i]).epsilon(kRankTolerance));
}
