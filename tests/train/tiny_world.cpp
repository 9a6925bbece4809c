#include "tests/train/tiny_world.h"

#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <limits>

#include "core/files.h"
#include "models/random_weights.h"
#include "text/tokenizers/sentencepiece_tokenizer.h"
#include "train/record/metrics.h"
#include "weights/tensor_source.h"
#include "weights/write.h"

namespace vllama::test {
namespace {

constexpr std::int64_t kNumPieces = 32000;

models::VisionConfig tiny_vision() {
  models::VisionConfig vision;
  vision.encoder = encoders::EvaVitConfig{
      .image_size = 28, .width = 16, .num_blocks = 2, .num_heads = 2, .mlp_width = 32};
  vision.resampler = {.num_queries = 3,
                      .num_layers = 2,
                      .width = 16,
                      .num_heads = 2,
                      .mlp_width = 32,
                      .cross_attention_every = 2};
  vision.q_former = {.num_queries = 4,
                     .num_layers = 2,
                     .width = 16,
                     .num_heads = 2,
                     .mlp_width = 32,
                     .cross_attention_every = 1};
  return vision;
}

void make_clip(const std::filesystem::path& path, int number) {
  const std::string command = fmt::format(
      "ffmpeg -nostdin -v error -f lavfi -i testsrc2=size=64x48:rate=10:duration=2 "
      "-vf hue=h={} -pix_fmt yuv420p '{}'",
      number * 60, path.string());
  REQUIRE(std::system(command.c_str()) == 0);
}

}  // namespace

TinyWorld::TinyWorld(std::int64_t max_positions) {
  models::write_random_weights({.vision = tiny_vision(),
                                .language = {.width = 16,
                                             .mlp_width = 32,
                                             .num_layers = 2,
                                             .num_heads = 2,
                                             .max_positions = max_positions}},
                               kNumPieces, 1, path("weights"));
  std::filesystem::copy_file(golden_file("text/llama_tokenizer.model"),
                             path("weights/llama/tokenizer.model"));
  std::filesystem::create_directories(path("annotations"));
  std::filesystem::create_directories(path("videos/page"));
  std::string table = "videoid,page_dir,name\n";
  for (int i = 0; i < 5; ++i) {
    make_clip(path(fmt::format("videos/page/clip{}.mp4", i)), i);
    table += fmt::format("clip{},page,caption number {} of a moving pattern\n", i, i);
  }
  write_file_atomically(path("annotations/clips.csv"), table);
}

train::RunConfig TinyWorld::run(const std::string& name) const {
  train::RunConfig config;
  config.output_dir = path(name);
  config.device = distributed::DeviceChoice::cpu;
  config.num_threads = 1;
  config.model.vision = tiny_vision();
  config.model.weights.vision_encoder = path("weights/eva_vit_g.pth");
  config.model.weights.q_former = path("weights/blip2_qformer.pth");
  config.model.weights.language_model = path("weights/llama");
  config.model.precision = models::Precision::fp32;
  datasets::DatasetConfig clips;
  clips.name = "clips";
  clips.format = "webvid";
  clips.annotations = path("annotations");
  clips.media_root = path("videos");
  clips.num_frames = 3;
  clips.sampling = samples::Sampling::headtail;
  config.data.sets = {clips};
  config.data.loader = {.num_workers = 2, .queue_depth = 2};
  config.training.batch_size = 4;
  config.training.num_epochs = 2;
  config.training.steps_per_epoch = 3;
  config.checkpoints.every_steps = 2;
  config.schedule.peak_learning_rate = 1e-2;
  config.schedule.warmup_steps = 2;
  return config;
}

void TinyWorld::poison(const std::string& word) const {
  const text::SentencePieceTokenizer tokenizer(path("weights/llama/tokenizer.model"));
  const auto file = path("weights/llama/model.safetensors");
  weights::NamedTensors tensors;
  {
    const auto source = weights::open_weights(file);
    for (const auto& facts : source->tensors())
      tensors[facts.name] = source->read(facts.name).clone();
  }
  tensors.at("model.embed_tokens.weight")[tokenizer.encode(word).back()].fill_(
      std::numeric_limits<float>::infinity());
  weights::write_safetensors(file, tensors);
}

std::vector<double> losses(const train::RunConfig& config) {
  std::vector<double> result;
  for (const auto& step :
       train::read_metrics(std::filesystem::path(config.output_dir) / "metrics.jsonl"))
    result.push_back(step.loss);
  return result;
}

}  // namespace vllama::test
