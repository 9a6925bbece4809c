// Exported .pth files: the structure and values of the original's own, and what PyTorch says to
// them.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>

#include "config/tree.h"
#include "core/error.h"
#include "core/files.h"
#include "optim/flat_parameters.h"
#include "tests/models/sizes.h"
#include "tests/support/tensors.h"
#include "tests/train/recorded_checkpoint.h"
#include "tests/train/recorded_run.h"
#include "tests/train/tiny_world.h"
#include "train/export/export.h"
#include "train/original/import_config.h"
#include "train/original/reference_config.h"
#include "train/run/config_json.h"
#include "train/saved/open_saved.h"
#include "train/train.h"
#include "weights/pth/pth_reader.h"
#include "weights/tensor_source.h"
#include "weights/values/tensors.h"

using namespace vllama;
using namespace vllama::test;
using Catch::Matchers::Contains;
using weights::Map;
using weights::TensorView;
using weights::Value;
namespace fs = std::filesystem;

namespace {

// A Python with all of torch, or empty after saying that there is none.
std::string python_with_torch() {
  const char* named = std::getenv("VLLAMA_PYTHON");
  const std::string program = named != nullptr && *named != '\0' ? named : "python3";
  const std::string command = fmt::format("'{}' -c 'import torch' >/dev/null 2>&1", program);
  if (std::system(command.c_str()) == 0) return program;
  std::cout << "SKIPPED " << Catch::getResultCapture().getCurrentTestName()
            << ": no Python with torch on the PATH or in VLLAMA_PYTHON\n";
  return {};
}

}  // namespace

TEST_CASE("pth: the state of a recorded checkpoint comes out as the original wrote it") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const TemporaryFolder folder;
  const fs::path recorded = goldens / "runs/vl_stage1_webvid/checkpoint_1.pth";
  const train::RunConfig config = recorded_run(goldens, folder.path() / "run");
  checkpoint::save_step(folder.path() / "run/checkpoints", 20,
                        step_of_recorded(weights::read_pth(recorded), config));
  train::export_pth({.checkpoint = folder.path() / "run", .output = folder.path() / "out.pth"});
  check_like_recorded(folder.path() / "out.pth", recorded, Agreement::exact);

  // Read again as a starting point, and known as one of ours.
  train::RunConfig next = recorded_run(goldens, folder.path() / "next");
  next.model.weights.vision_checkpoint = folder.path() / "out.pth";
  write_file_atomically(folder.path() / "next.yaml", config::dump(next));
  const auto opened = train::open_saved(folder.path() / "next.yaml", at::kCPU);
  CHECK(opened.chat.layout == text::LayoutKind::training);
  next.model.weights.vision_checkpoint = recorded;
  write_file_atomically(folder.path() / "next.yaml", config::dump(next));
  CHECK(train::open_saved(folder.path() / "next.yaml", at::kCPU).chat.layout ==
        text::LayoutKind::reference);
}

TEST_CASE("pth: the names of an audio checkpoint are those of the recorded one") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const TemporaryFolder folder;
  train::RunConfig config = recorded_run(goldens, folder.path() / "run");
  config.model.branches = models::BranchSet::audio;
  config.model.audio = tiny_audio();
  config.model.audio.embedding_scale = encoders::EmbeddingScale::published;
  config.model.weights = {.image_bind = goldens / "ckpt/imagebind/imagebind_huge.pth",
                          .language_model = goldens / "ckpt/llama",
                          .audio_checkpoint = goldens / "ckpt/init_al.pth"};
  write_file_atomically(folder.path() / "run.yaml", config::dump(config));
  train::export_pth(
      {.checkpoint = folder.path() / "run.yaml", .output = folder.path() / "out.pth"});
  const Value actual = weights::read_pth(folder.path() / "out.pth");
  const Value expected = weights::read_pth(goldens / "runs/al_stage1_webvid/checkpoint_1.pth");
  check_same_model(map_at(actual, "model"), map_at(expected, "model"));
  CHECK(actual.find("optimizer")->is_none());
}

TEST_CASE("pth: PyTorch reads it with weights_only and goes on from its optimizer") {
  const std::string python = python_with_torch();
  if (python.empty()) return;
  const TinyWorld world;
  const train::RunConfig config = world.run("run");
  REQUIRE(train::train(config, {}) == 0);
  train::export_pth({.checkpoint = config.output_dir, .output = world.path("out.pth")});
  const fs::path step = world.path("run/checkpoints/step_000006");
  const std::string command =
      fmt::format("'{}' tools/reference/check_export.py '{}' '{}' '{}' >/dev/null", python,
                  world.path("out.pth").string(), (step / "trainable.safetensors").string(),
                  (step / "optimizer.safetensors").string());
  CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE("pth: without what the original trains there is no optimizer state") {
  const TinyWorld world;
  train::RunConfig config = world.run("run");
  config.model.trainable = {{models::ModuleName::projection, 0}, {models::ModuleName::lora, 1e-3}};
  REQUIRE(train::train(config, {}) == 0);
  train::export_pth({.checkpoint = config.output_dir,
                     .output = world.path("out.pth"),
                     .lora = train::LoraForm::merged});
  const Value actual = weights::read_pth(world.path("out.pth"));
  CHECK(actual.find("optimizer")->is_none());
  for (const std::string& name : keys_of(map_at(actual, "model")))
    CHECK(name.find("lora") == std::string::npos);
  CHECK(fs::exists(world.path("out_language_model/model.safetensors")));
  CHECK(fs::exists(world.path("out_language_model/model_card.json")));
}

TEST_CASE("pth: the original cannot be given an encoder that has trained") {
  const TinyWorld world;
  train::RunConfig config = world.run("run");
  config.model.trainable = {{models::ModuleName::projection, 0},
                            {models::ModuleName::vision_encoder_lora, 1e-3}};
  REQUIRE(train::train(config, {}) == 0);
  CHECK_THROWS_WITH(
      train::export_pth({.checkpoint = config.output_dir, .output = world.path("out.pth")}),
      Contains("vision_encoder_lora has trained") && Contains("bundle"));
  CHECK_FALSE(fs::exists(world.path("out.pth")));
}

TEST_CASE("pth: its configuration reads as one of the original's") {
  const TinyWorld world;
  const train::RunConfig config = world.run("run");
  const std::string text = train::reference_config(config).dump(2);  // JSON is YAML
  const auto imported = config::read<train::RunConfig>(train::import_config(text, "config").run);
  CHECK(imported.model.vision.q_former.num_queries == config.model.vision.q_former.num_queries);
  CHECK(imported.model.weights.q_former == config.model.weights.q_former);
  CHECK(imported.schedule.peak_learning_rate == config.schedule.peak_learning_rate);
  CHECK(imported.training.batch_size == config.training.batch_size);
  CHECK(imported.data.sets.at(0).annotations == config.data.sets.at(0).annotations);
  CHECK(imported.data.sets.at(0).num_frames == config.data.sets.at(0).num_frames);
}

TEST_CASE("published files convert to safetensors") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const TemporaryFolder folder;
  const fs::path file = goldens / "runs/al_stage1_webvid/checkpoint_1.pth";
  train::export_safetensors({.checkpoint = file, .output = folder.path() / "out"});
  const auto source = weights::open_weights(folder.path() / "out/trained.safetensors");
  const auto original = weights::open_weights(file);
  CHECK(source->tensors().size() == 58);
  for (const auto& facts : source->tensors())
    CHECK(same_bits(source->read(facts.name), original->read(facts.name)));
  const auto card = nlohmann::json::parse(read_file(folder.path() / "out/model_card.json"));
  CHECK(card["epoch"] == 1);
  CHECK(card["config"]["run"]["init_lr"] == 1e-3);
  CHECK_THROWS_WITH(train::export_safetensors({.checkpoint = goldens / "ckpt/eva_vit_g.pth",
                                               .output = folder.path() / "eva"}),
                    Contains("holds neither a vision nor an audio branch"));
  CHECK_THROWS_WITH(
      train::export_safetensors({.checkpoint = goldens / "ckpt/pretrained_minigpt4.pth",
                                 .output = folder.path() / "projection"}),
      Contains("holds part of a branch, but not its video_q_former"));
  CHECK_FALSE(fs::exists(folder.path() / "eva"));
}
