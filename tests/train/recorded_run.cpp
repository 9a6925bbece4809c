#include "tests/train/recorded_run.h"

#include <catch2/catch.hpp>

#include "core/files.h"
#include "tests/models/sizes.h"
#include "tests/support/tensors.h"

namespace vllama::test {

nlohmann::json trajectory(const std::filesystem::path& goldens, const std::string& run) {
  return nlohmann::json::parse(read_file(goldens / "runs" / run / "trajectory.json"));
}

train::RunConfig recorded_run(const std::filesystem::path& goldens,
                              const std::filesystem::path& output) {
  train::RunConfig config;
  config.output_dir = output;
  config.device = distributed::DeviceChoice::cpu;
  config.model.vision = tiny_vision(224);
  config.model.precision = models::Precision::fp32;
  config.model.dropout = 0;
  config.model.weights = {.vision_encoder = goldens / "ckpt/eva_vit_g.pth",
                          .q_former = goldens / "ckpt/blip2_qformer.pth",
                          .language_model = goldens / "ckpt/llama",
                          .projection = goldens / "ckpt/pretrained_minigpt4.pth",
                          .vision_checkpoint = goldens / "ckpt/init_vl.pth"};
  datasets::DatasetConfig webvid;
  webvid.name = "webvid";
  webvid.format = "webvid";
  webvid.annotations = goldens / "data/webvid";
  webvid.media_root = goldens / "../fixtures";
  webvid.transform = samples::Transform::eval;
  config.data.sets = {webvid};
  config.data.shuffle = false;
  config.training.batch_size = 2;
  config.training.num_epochs = 2;
  config.training.steps_per_epoch = 10;
  config.checkpoints.every_steps = 1;
  config.checkpoints.keep_last = 20;
  config.schedule.peak_learning_rate = 1e-3;
  config.schedule.min_learning_rate = 1e-4;
  config.schedule.warmup_learning_rate = 1e-5;
  config.schedule.warmup_steps = 5;
  return config;
}

bool is_comparable(const std::string& name) {
  return !name.ends_with("key.bias");
}

int check_weights(const weights::NamedTensors& actual, const GoldenTensors& golden,
                  const std::string& prefix) {
  int compared = 0;
  for (const auto& [name, tensor] : actual) {
    if (!is_comparable(name) || !golden.has(prefix + name)) continue;
    INFO(prefix << name);
    CHECK(absolute_difference(tensor, golden[prefix + name]) < kWeightTolerance);
    ++compared;
  }
  return compared;
}

void check_step(const train::StepMetrics& actual, const nlohmann::json& expected) {
  INFO("step " << actual.step);
  CHECK(std::abs(actual.loss - expected["loss"].get<double>()) < kStepLossTolerance);
  CHECK(actual.learning_rate ==
        Approx(expected["lr"].get<double>()).epsilon(kRateTolerance).margin(0));
  CHECK(actual.gradient_norm ==
        Approx(expected["grad_norm"].get<double>()).epsilon(kNormTolerance).margin(0));
  CHECK(actual.num_target_tokens == expected["num_targets"].get<std::int64_t>());
}

Session::Session(const train::RunConfig& run)
    : config(run),
      tokenizer(std::filesystem::path(run.model.weights.language_model) / "tokenizer.model"),
      data(config.data, models::model_input(config.model), tokenizer),
      model(models::load_video_llama(config.model, at::kCPU, config.seed)) {}

datasets::Loader Session::loader(const datasets::SampleOrder& order, std::int64_t first_step,
                                 std::int64_t end_step) const {
  return {order,
          data,
          {.first_step = first_step, .end_step = end_step},
          config.data.loader,
          tokenizer.image_token()};
}

datasets::SampleOrder Session::order(datasets::SampleOrder::DatasetChoice choice) const {
  return {data.sources(),
          {.samples_per_step = config.training.batch_size, .shuffle = false, .seed = 1},
          std::move(choice)};
}

}  // namespace vllama::test
