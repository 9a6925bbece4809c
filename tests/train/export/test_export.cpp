// What exports hold, and that bundles open as the model that was trained.
#include <ATen/TensorOperators.h>
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/sha256.h"
#include "inference/bundle/bundle_config.h"
#include "models/load_video_llama.h"
#include "models/modules.h"
#include "models/saved_step.h"
#include "tests/support/tensors.h"
#include "tests/train/tiny_world.h"
#include "train/export/export.h"
#include "train/saved/open_saved.h"
#include "train/train.h"
#include "weights/tensor_source.h"

using namespace vllama;
using namespace vllama::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

// Adapters start without effect and learn little in six steps at the world's rate.
constexpr double kAdapterRate = 0.5;
// A merged matrix is rounded to fp16, as its file holds it: 2^-11 of each weight, and the sums
// along two layers average that out. An adapter left out moves the result by far more.
constexpr double kMergedRmsTolerance = 1e-3;

// A world with one finished run of six steps.
struct TrainedWorld : TinyWorld {
  explicit TrainedWorld(std::vector<models::TrainedModule> trainable = {}) : config(run("run")) {
    config.model.trainable = std::move(trainable);
    REQUIRE(train::train(config, {}) == 0);
  }

  train::ExportOptions to(const std::string& output) const {
    return {.checkpoint = config.output_dir, .output = path(output)};
  }
  weights::NamedTensors trained() const {
    return checkpoint::load_step(path("run/checkpoints/step_000006"))
        .contents.tensors.at("trainable");
  }

  train::RunConfig config;
};

weights::NamedTensors tensors_of(const fs::path& file) {
  weights::NamedTensors tensors;
  const auto source = weights::open_weights(file);
  for (const auto& facts : source->tensors()) tensors[facts.name] = source->read(facts.name);
  return tensors;
}

void check_equal(const weights::NamedTensors& actual, const weights::NamedTensors& expected) {
  CHECK(actual.size() == expected.size());
  for (const auto& [name, tensor] : expected) {
    INFO(name);
    REQUIRE(actual.contains(name));
    CHECK(same_bits(actual.at(name), tensor));
  }
}

nlohmann::json card_of(const fs::path& folder) {
  return nlohmann::json::parse(read_file(folder / "model_card.json"));
}

// What the language model makes of a fixed input.
at::Tensor hidden_of(const models::VideoLlama& model) {
  auto& language_model = const_cast<models::VideoLlama&>(model).language_model();
  const at::Tensor inputs_TH =
      random_tensor({12, language_model.config().width}, 1).to(language_model.dtype());
  return language_model.hidden(inputs_TH, nn::Segments(std::vector<std::int64_t>{12}));
}

// Everything that the two compute with.
void check_same_model(models::VideoLlama& actual, models::VideoLlama& expected) {
  const auto parameters = actual.module_parameters();
  const auto others = expected.module_parameters();
  REQUIRE(parameters.size() == others.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    INFO(parameters[i].name);
    CHECK(same_bits(*parameters[i].tensor, *others[i].tensor));
  }
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("safetensors: the trained part and a card that says where it comes from") {
  const TrainedWorld world;
  train::export_safetensors(world.to("out"));
  CHECK(names_in(world.path("out")) ==
        std::vector<std::string>{"README.md", "model_card.json", "trained.safetensors"});
  check_equal(tensors_of(world.path("out/trained.safetensors")), world.trained());
  const auto card = card_of(world.path("out"));
  CHECK(card["training"]["steps"] == 6);
  CHECK(card["training"]["samples"] == 24);
  CHECK(card["training"]["metrics"].contains("loss"));
  CHECK(card["chat"]["template"] == "training");
  CHECK(card["data"][0]["name"] == "clips");
  CHECK(card["config"]["training"]["batch_size"] == 4);
  CHECK(card["language_model"] == "base");
  const auto& encoder = card["base_weights"][0];
  const std::string file = read_file(world.path("weights/eva_vit_g.pth"));
  CHECK(encoder["key"] == "vision_encoder");
  CHECK(encoder["bytes"] == file.size());
  CHECK(encoder["sha256"] == sha256(file));
  const std::string readme = read_file(world.path("out/README.md"));
  CHECK_THAT(readme, Contains(sha256(file)) && Contains("6 of 6 optimizer steps"));
}

TEST_CASE("safetensors: parts that a run took over and did not train are there") {
  const TrainedWorld first;
  train::RunConfig second = first.run("second");
  second.model.trainable = {{models::ModuleName::projection, 0}};
  second.model.weights.saved_step = first.path("run/checkpoints/step_000006/trainable.safetensors");
  REQUIRE(train::train(second, {}) == 0);
  train::export_safetensors({.checkpoint = second.output_dir, .output = first.path("out")});
  const auto exported = tensors_of(first.path("out/trained.safetensors"));
  const auto before = first.trained();
  CHECK(exported.size() == before.size());
  CHECK(same_bits(exported.at("video_query_tokens"), before.at("video_query_tokens")));
  CHECK_FALSE(same_bits(exported.at("llama_proj.weight"), before.at("llama_proj.weight")));
}

TEST_CASE("bundles: open as the model that was trained") {
  const TrainedWorld world;
  const auto expected = train::open_saved(world.config.output_dir, at::kCPU);
  for (const auto base : {train::BaseWeights::link, train::BaseWeights::copy}) {
    auto options = world.to("bundle");
    options.force = true;
    train::export_bundle(options, base);
    const auto opened = train::open_saved(world.path("bundle"), at::kCPU, {.verify = true});
    check_same_model(*opened.model, *expected.model);
    CHECK(opened.chat.layout == text::LayoutKind::training);
    CHECK(opened.chat.num_frames == 3);
    CHECK(opened.origin.step == 6);
    CHECK(opened.origin.sha256 == sha256(read_file(world.path("bundle/trained.safetensors"))));
    CHECK(opened.tokenizer->file_hash() == expected.tokenizer->file_hash());
    CHECK(fs::is_symlink(world.path("bundle/weights/vision_encoder/eva_vit_g.pth")) ==
          (base == train::BaseWeights::link));
  }
  CHECK(train::open_saved(world.path("bundle"), at::kCPU, {.overrides = {"chat.num_frames=5"}})
            .chat.num_frames == 5);

  // Copies need nothing else, wherever the folder is.
  fs::rename(world.path("bundle"), world.path("elsewhere"));
  fs::remove_all(world.path("weights"));
  fs::remove_all(world.path("run"));
  check_same_model(*train::open_saved(world.path("elsewhere"), at::kCPU).model, *expected.model);
}

TEST_CASE("bundles: base weights that changed are named") {
  const TrainedWorld world;
  train::export_bundle(world.to("bundle"), train::BaseWeights::link);
  const auto open = [&](bool verify = false) {
    return train::open_saved(world.path("bundle"), at::kCPU, {.verify = verify});
  };
  const std::string file = read_file(world.path("weights/blip2_qformer.pth"));
  std::string changed = file;
  changed[changed.size() / 2] ^= 1;
  write_file_atomically(world.path("weights/blip2_qformer.pth"), changed);
  CHECK_THROWS_WITH(open(), Contains("blip2_qformer.pth (a link to '") &&
                                Contains("has other content of the same size") &&
                                Contains("put these files back"));
  write_file_atomically(world.path("weights/blip2_qformer.pth"), file + " ");
  CHECK_THROWS_WITH(
      open(), Contains(fmt::format("has {} bytes instead of {}", file.size() + 1, file.size())));
  fs::remove(world.path("weights/blip2_qformer.pth"));
  CHECK_THROWS_AS(open(), UserError);
  CHECK_THROWS_WITH(open(), Contains("blip2_qformer.pth") && Contains("is gone"));
  write_file_atomically(world.path("weights/blip2_qformer.pth"), file);
  CHECK_NOTHROW(open(true));

  const std::string trained = read_file(world.path("bundle/trained.safetensors"));
  write_file_atomically(world.path("bundle/trained.safetensors"), trained + "x");
  CHECK_THROWS_WITH(open(), Contains("trained.safetensors has"));
}

TEST_CASE("bundles: nothing in one leads out of it") {
  const TrainedWorld world;
  train::export_bundle(world.to("bundle"), train::BaseWeights::link);
  const fs::path file = world.path("bundle/bundle.yaml");
  const std::string text = read_file(file);
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string other = text;
    other.replace(other.find(from), from.size(), to);
    write_file_atomically(file, other);
    CHECK_THROWS_AS(inference::read_bundle_config(world.path("bundle")), UserError);
  };
  refused("vision_encoder: weights/", "vision_encoder: /weights/");
  refused("vision_encoder: weights/", "vision_encoder: ../weights/");
  refused("trained: trained", "trained: a/../../trained");
  refused("format: 1", "format: 2");
  refused("format: 1", "fromat: 1");
  refused("chat:\n", "chat:\n  include: /etc/passwd\n");
}

TEST_CASE("adapters: separate, merged, and in bundles") {
  const TrainedWorld world(
      {{models::ModuleName::projection, 0}, {models::ModuleName::lora, kAdapterRate}});
  auto unmerged = models::load_video_llama(world.config.model, at::kCPU, world.config.seed);
  const at::Tensor base = hidden_of(*unmerged);
  models::load_saved_step(*unmerged,
                          world.path("run/checkpoints/step_000006/trainable.safetensors"));
  const at::Tensor expected = hidden_of(*unmerged);
  REQUIRE(relative_rms_difference(base, expected) > 10 * kMergedRmsTolerance);
  const auto check_computes = [&](const fs::path& path) {
    const auto opened = train::open_saved(path, at::kCPU);
    CHECK(relative_rms_difference(hidden_of(*opened.model), expected) < kMergedRmsTolerance);
  };
  check_computes(world.config.output_dir);

  train::export_safetensors(world.to("separate"));
  CHECK(card_of(world.path("separate"))["language_model"] == "adapters");
  const auto modules = card_of(world.path("separate"))["trained"];
  CHECK(modules["modules"] == std::vector<std::string>{"projection", "lora"});
  CHECK(modules["other_modules"] == std::vector<std::string>{"video_q_former", "frame_positions"});
  const auto adapter_file = world.path("separate/language_model_adapter/adapter_model.safetensors");
  // peft's names; our reader takes off what is in front of all of them.
  CHECK_THAT(read_file(adapter_file),
             Contains("\"base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight\""));
  const auto adapters = tensors_of(adapter_file);
  const auto trained = world.trained();
  CHECK(adapters.size() == 2 * 7 * 2);
  CHECK(same_bits(adapters.at("model.layers.1.self_attn.q_proj.lora_A.weight"),
                  trained.at("llama_model.model.layers.1.self_attn.q_proj.lora_A.weight")));

  auto options = world.to("merged");
  options.lora = train::LoraForm::merged;
  train::export_safetensors(options);
  CHECK(card_of(world.path("merged"))["language_model"] == "merged");
  CHECK(names_in(world.path("merged/language_model")) ==
        std::vector<std::string>{"config.json", "model.safetensors", "tokenizer.model"});
  for (const auto& [name, tensor] : tensors_of(world.path("merged/trained.safetensors")))
    CHECK(models::module_of(name) != models::ModuleName::lora);
  for (const auto& [name, tensor] : tensors_of(world.path("merged/language_model")))
    CHECK(tensor.scalar_type() == at::kHalf);
  // As a user would go on from there.
  train::RunConfig used = world.run("used");
  used.model.weights.language_model = world.path("merged/language_model");
  used.model.weights.saved_step = world.path("merged/trained.safetensors");
  write_file_atomically(world.path("used.yaml"), config::dump(used));
  check_computes(world.path("used.yaml"));
  CHECK(train::open_saved(world.path("used.yaml"), at::kCPU).chat.layout ==
        text::LayoutKind::training);

  train::export_bundle(world.to("bundle"), train::BaseWeights::link);
  check_computes(world.path("bundle"));
  options.output = world.path("merged_bundle");
  train::export_bundle(options, train::BaseWeights::copy);
  check_computes(world.path("merged_bundle"));
}

TEST_CASE("a language model that trained is part of what is exported") {
  const TrainedWorld world(
      {{models::ModuleName::projection, 0}, {models::ModuleName::language_model, 1e-2}});
  train::export_bundle(world.to("bundle"), train::BaseWeights::link);
  CHECK(card_of(world.path("bundle"))["language_model"] == "trained");
  const auto opened = train::open_saved(world.path("bundle"), at::kCPU);
  const auto expected = world.trained();
  for (const auto& parameter : opened.model->module_parameters())
    if (models::module_of(parameter.name) == models::ModuleName::language_model)
      CHECK(parameter.tensor->equal(expected.at(parameter.name)));
}
