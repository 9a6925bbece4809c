// Whole training runs against those recorded from the original: the same files, decoded anew, give
// the same losses, rates, norms and weights.
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "checkpoint/pth_reader.h"
#include "checkpoint/tensors.h"
#include "core/files.h"
#include "datasets/mixture.h"
#include "models/load_video_llama.h"
#include "optim/gradient_norm.h"
#include "optim/indexed_state.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"
#include "train/model_input.h"
#include "train/train.h"
#include "train/trainer.h"

using namespace vllama;

namespace {

// Limits for 20 steps of fp32 code that may reorder sums; the recordings' own scatter is a tenth of
// it.
constexpr double kLossTolerance = 1e-4;
constexpr double kNormTolerance = 1e-4;   // relative
constexpr double kRateTolerance = 1e-12;  // relative
constexpr double kWeightTolerance = 2e-5;

nlohmann::json trajectory(const std::filesystem::path& goldens, const std::string& run) {
  return nlohmann::json::parse(read_file(goldens / "runs" / run / "trajectory.json"));
}

train::RunConfig recorded_run(const std::filesystem::path& goldens,
                              const std::filesystem::path& output) {
  train::RunConfig config;
  config.output_dir = output;
  config.device = "cpu";
  config.model.vision = test::tiny_vision(224);
  config.model.precision = "fp32";
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
  webvid.transform = "eval";
  config.data.sets = {webvid};
  config.data.shuffle = false;
  config.training.batch_size = 2;
  config.training.num_epochs = 2;
  config.training.steps_per_epoch = 10;
  config.training.checkpoint_every_steps = 1;
  config.training.num_checkpoints_kept = 20;
  config.schedule.peak_learning_rate = 1e-3;
  config.schedule.min_learning_rate = 1e-4;
  config.schedule.warmup_learning_rate = 1e-5;
  config.schedule.warmup_steps = 5;
  return config;
}

// Biases of keys have no effect and a true gradient of zero; Adam turns rounding noise into steps
// there.
bool is_comparable(const std::string& name) {
  return !name.ends_with("key.bias");
}

// How many of the tensors were compared.
int check_weights(const checkpoint::NamedTensors& actual, const test::GoldenTensors& golden,
                  const std::string& prefix) {
  int compared = 0;
  for (const auto& [name, tensor] : actual) {
    if (!is_comparable(name) || !golden.has(prefix + name)) continue;
    INFO(prefix << name);
    CHECK(test::absolute_difference(tensor, golden[prefix + name]) < kWeightTolerance);
    ++compared;
  }
  return compared;
}

void check_step(const train::StepMetrics& actual, const nlohmann::json& expected) {
  INFO("step " << actual.step);
  CHECK(std::abs(actual.loss - expected["loss"].get<double>()) < kLossTolerance);
  CHECK(actual.learning_rate ==
        Approx(expected["lr"].get<double>()).epsilon(kRateTolerance).margin(0));
  CHECK(actual.gradient_norm ==
        Approx(expected["grad_norm"].get<double>()).epsilon(kNormTolerance).margin(0));
  CHECK(actual.num_target_tokens == expected["num_targets"].get<std::int64_t>());
}

// A model, its trainer and its data, one step at a time.
struct Session {
  explicit Session(const train::RunConfig& run)
      : config(run),
        tokenizer(std::filesystem::path(run.model.weights.language_model) / "tokenizer.model"),
        data(config.data, train::model_input(config.model), tokenizer),
        model(models::load_video_llama(config.model, at::kCPU, config.seed)) {}

  datasets::Loader loader(const datasets::SampleOrder& order, std::int64_t first_step,
                          std::int64_t end_step) const {
    return {order,
            data,
            {.first_step = first_step, .end_step = end_step},
            config.data.loader,
            tokenizer.image_token()};
  }

  datasets::SampleOrder order(datasets::SampleOrder::DatasetChoice choice = {}) const {
    return {data.sources(),
            {.samples_per_step = config.training.batch_size, .shuffle = false, .seed = 1},
            std::move(choice)};
  }

  train::RunConfig config;
  text::Tokenizer tokenizer;
  datasets::Mixture data;
  std::unique_ptr<models::VideoLlama> model;
};

}  // namespace

TEST_CASE("stage 1 on WebVid, from the files on disk to the last weights") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const test::TemporaryFolder folder;
  const train::RunConfig config = recorded_run(goldens, folder.path() / "run");
  REQUIRE(train::train(config, {}) == 0);

  const auto expected = trajectory(goldens, "vl_stage1_webvid")["micro_steps"];
  const auto steps = train::read_metrics(folder.path() / "run/metrics.jsonl");
  REQUIRE(steps.size() == 20);
  for (std::size_t i = 0; i < steps.size(); ++i) check_step(steps[i], expected[i]);

  const auto weights = [&](const std::string& step) {
    return checkpoint::load_step(folder.path() / "run/checkpoints" / step).tensors.at("trainable");
  };
  const test::GoldenTensors first(goldens / "runs/vl_stage1_webvid/tensors.safetensors");
  const test::GoldenTensors middle(goldens / "runs/vl_stage1_webvid/checkpoint_0.pth");
  const test::GoldenTensors last(goldens / "runs/vl_stage1_webvid/checkpoint_1.pth");
  CHECK(check_weights(weights("step_000001"), first, "after1.") == 54);
  CHECK(check_weights(weights("step_000010"), middle, "") == 54);
  CHECK(check_weights(weights("step_000020"), last, "") == 54);
}

TEST_CASE("stage 1 on WebVid: the gradients of the first step") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const test::TemporaryFolder folder;
  Session session(recorded_run(goldens, folder.path()));
  for (const auto& parameter : session.model->trainable_parameters())
    parameter.tensor->requires_grad_(true);
  const auto order = session.order();
  auto loader = session.loader(order, 0, 1);
  const auto batch = loader.next().batch;
  session.model->loss(batch, 0, nn::Gradients::accumulate);
  for (const auto& parameter : session.model->trainable_parameters())
    parameter.tensor->mutable_grad().div_(static_cast<double>(batch.num_targets));
  const test::GoldenTensors golden(goldens / "runs/vl_stage1_webvid/tensors.safetensors");
  CHECK(golden.check_gradients(session.model->trainable_parameters(), "step1.grad.") == 58);
}

TEST_CASE("a run goes on from the original's checkpoint and optimizer state") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const test::TemporaryFolder folder;
  Session session(recorded_run(goldens, folder.path()));
  train::Trainer trainer(session.config, *session.model);

  const auto file = goldens / "runs/vl_stage1_webvid/checkpoint_0.pth";
  const checkpoint::Value saved = checkpoint::read_pth(file);
  const auto to_tensor = [](const checkpoint::Value* value) {
    REQUIRE(value != nullptr);
    return checkpoint::to_tensor(*value->get_if<checkpoint::TensorView>());
  };
  std::map<std::int64_t, optim::IndexedMoments> moments;
  for (const auto& [index, entry] :
       saved.find("optimizer")->find("state")->get_if<checkpoint::Map>()->entries())
    moments[std::get<std::int64_t>(index)] = {to_tensor(entry.find("step")),
                                              to_tensor(entry.find("exp_avg")),
                                              to_tensor(entry.find("exp_avg_sq"))};
  auto parameters = train::trained_parameters(*session.model);
  checkpoint::NamedTensors weights;
  for (optim::TrainedParameter& parameter : parameters) {
    parameter.tensor = parameter.tensor.detach().clone();
    weights[parameter.name] = to_tensor(saved.find("model")->find(parameter.name));
  }
  const optim::FlatParameters layout(parameters);
  trainer.load_state(
      {{"trainable", weights}, {"optimizer", optim::to_named_state(moments, layout.slots())}});

  const auto expected = trajectory(goldens, "vl_stage1_webvid")["micro_steps"];
  const auto order = session.order();
  auto loader = session.loader(order, 10, 20);
  for (std::int64_t step = 10; step < 20; ++step)
    check_step(trainer.step(step, [&] { return loader.next(); }).metrics,
               expected[static_cast<std::size_t>(step)]);
  const test::GoldenTensors last(goldens / "runs/vl_stage1_webvid/checkpoint_1.pth");
  CHECK(check_weights(trainer.state().at("trainable"), last, "") == 54);
}

TEST_CASE("stage 1 on WebVid and images, in the recorded order of data sets") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  VLLAMA_SHARED_FILE(media, "fixtures/media");
  const auto log = trajectory(goldens, "vl_stage1_mixed")["micro_steps"];
  const test::TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "image");
  std::filesystem::copy_file(media / "Statue_of_Liberty.jpg", folder.path() / "image/2.jpg");
  std::filesystem::copy_file(media / "dog.jpg", folder.path() / "image/7.jpg");
  train::RunConfig config = recorded_run(goldens, folder.path() / "run");
  datasets::DatasetConfig images;
  images.name = "images";
  images.format = "cc_sbu_align";
  images.annotations = goldens / "data/align/filter_cap.json";
  images.media_root = folder.path() / "image";
  images.transform = "eval";
  images.clean_captions = false;
  config.data.sets.push_back(images);
  Session session(config);
  train::Trainer trainer(session.config, *session.model);
  const auto order = session.order([&](std::int64_t step) {
    return log[static_cast<std::size_t>(step)]["dataset"] == "webvid" ? 0 : 1;
  });
  auto loader = session.loader(order, 0, 20);
  for (std::int64_t step = 0; step < 20; ++step)
    check_step(trainer.step(step, [&] { return loader.next(); }).metrics,
               log[static_cast<std::size_t>(step)]);
  const test::GoldenTensors golden(goldens / "runs/vl_stage1_mixed/tensors.safetensors");
  CHECK(check_weights(trainer.state().at("trainable"), golden, "after_last.") > 5);
}

// The original adds undivided mean losses of two micro-batches, carries the odd gradient of an
// epoch into the next, and moves its schedule with micro-batches (D8). This program does none of
// it; the arithmetic under it is checked by doing the same by hand.
TEST_CASE("stage 1 with the original's accumulation, done by hand") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const auto log = trajectory(goldens, "vl_stage1_accum2");
  const test::TemporaryFolder folder;
  Session session(recorded_run(goldens, folder.path()));
  const auto parameters = train::trained_parameters(*session.model);
  optim::FlatParameters flat(parameters);
  optim::AdamW optimizer(flat, {});
  at::Tensor sum = at::zeros_like(flat.flat_gradients());
  const auto order = session.order();
  const auto num_micro_steps = static_cast<std::int64_t>(log["micro_steps"].size());
  auto loader = session.loader(order, 0, num_micro_steps);
  std::size_t next_update = 0;
  for (std::int64_t micro = 0; micro < num_micro_steps; ++micro) {
    const auto batch = loader.next().batch;
    flat.zero_gradients();
    const auto targets = static_cast<double>(batch.num_targets);
    const double loss =
        session.model->loss(batch, 0, nn::Gradients::accumulate).item<double>() / targets;
    INFO("micro-batch " << micro + 1);
    CHECK(
        std::abs(loss - log["micro_steps"][static_cast<std::size_t>(micro)]["loss"].get<double>()) <
        kLossTolerance);
    sum.add_(flat.flat_gradients(), 1 / targets);
    if (next_update >= log["optimizer_steps"].size()) continue;
    const auto& update = log["optimizer_steps"][next_update];
    if (update["after_micro_step"].get<std::int64_t>() != micro + 1) continue;
    flat.flat_gradients().copy_(sum);
    CHECK(optim::gradient_norm(sum) ==
          Approx(update["grad_norm"].get<double>()).epsilon(kNormTolerance).margin(0));
    optimizer.step(update["lr"].get<double>());
    sum.zero_();
    ++next_update;
  }
  CHECK(next_update == log["optimizer_steps"].size());
  const test::GoldenTensors golden(goldens / "runs/vl_stage1_accum2/tensors.safetensors");
  CHECK(check_weights(flat.named_parameters(), golden, "after_last.") > 5);
}
