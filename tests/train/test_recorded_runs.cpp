// Whole training runs against those recorded from the original: the same files, decoded anew, give
// the same losses, rates, norms and weights.
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "optim/gradient_norm.h"
#include "optim/indexed_state.h"
#include "tests/support/fixtures.h"
#include "tests/support/tensors.h"
#include "tests/train/recorded_checkpoint.h"
#include "tests/train/recorded_run.h"
#include "train/export/export.h"
#include "train/loop/trainer.h"
#include "train/train.h"
#include "weights/pth/pth_reader.h"
#include "weights/values/tensors.h"

using namespace vllama;
using namespace vllama::test;

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
    return checkpoint::load_step(folder.path() / "run/checkpoints" / step)
        .contents.tensors.at("trainable");
  };
  const test::GoldenTensors first(goldens / "runs/vl_stage1_webvid/tensors.safetensors");
  const test::GoldenTensors middle(goldens / "runs/vl_stage1_webvid/checkpoint_0.pth");
  const test::GoldenTensors last(goldens / "runs/vl_stage1_webvid/checkpoint_1.pth");
  CHECK(check_weights(weights("step_000001"), first, "after1.") == 54);
  CHECK(check_weights(weights("step_000010"), middle, "") == 54);
  CHECK(check_weights(weights("step_000020"), last, "") == 54);

  train::export_pth({.checkpoint = folder.path() / "run", .output = folder.path() / "last.pth"});
  check_like_recorded(folder.path() / "last.pth",
                      goldens / "runs/vl_stage1_webvid/checkpoint_1.pth", Agreement::of_a_run);
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
  distributed::Communicator one_rank;
  train::Trainer trainer(session.config, *session.model, one_rank);

  const auto file = goldens / "runs/vl_stage1_webvid/checkpoint_0.pth";
  const weights::Value saved = weights::read_pth(file);
  const auto to_tensor = [](const weights::Value* value) {
    REQUIRE(value != nullptr);
    return weights::to_tensor(*value->get_if<weights::TensorView>());
  };
  std::map<std::int64_t, optim::IndexedMoments> moments;
  for (const auto& [index, entry] :
       saved.find("optimizer")->find("state")->get_if<weights::Map>()->entries())
    moments[std::get<std::int64_t>(index)] = {to_tensor(entry.find("step")),
                                              to_tensor(entry.find("exp_avg")),
                                              to_tensor(entry.find("exp_avg_sq"))};
  auto parameters = train::trained_parameters(*session.model, {});
  weights::NamedTensors weights;
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
  images.transform = samples::Transform::eval;
  images.clean_captions = false;
  config.data.sets.push_back(images);
  Session session(config);
  distributed::Communicator one_rank;
  train::Trainer trainer(session.config, *session.model, one_rank);
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
  const auto parameters = train::trained_parameters(*session.model, {});
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
        kStepLossTolerance);
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
