// The choice of what trains, on the goldens' weights: nothing else gets a gradient or changes.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "core/error.h"
#include "models/load_video_llama.h"
#include "models/modules.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/tensors.h"
#include "weights/write.h"

using namespace vllama;
using Catch::Contains;
using models::ModuleName;

namespace {

models::ModelConfig training(const std::filesystem::path& goldens,
                             const std::vector<ModuleName>& modules) {
  const auto weights = goldens / "ckpt";
  models::ModelConfig config = test::golden_model(weights);
  config.branches = models::BranchSet::vision_and_audio;
  config.audio = test::tiny_audio();
  config.weights.image_bind = weights / "imagebind/imagebind_huge.pth";
  config.weights.audio_checkpoint = weights / "init_al.pth";
  for (const ModuleName module : modules) config.trainable.push_back({module, 0});
  config.lora = {.rank = 2, .alpha = 4};
  return config;
}

// Every tensor of the model by name; the language model's below "llama_model.".
std::map<std::string, at::Tensor*> all_tensors(models::VideoLlama& model) {
  nn::ParameterList list = model.branch_parameters();
  for (models::Branch& branch : model.branches()) {
    // First by the names that a saved step has for them.
    branch.declare_encoder_module(list);
    branch.declare_adapters(list);
    branch.declare_encoders(list);
    branch.declare_resampler(list);
  }
  model.language_model().declare(list, "llama_model.");
  model.language_model().declare_lora(list, "llama_model.");
  std::map<std::string, at::Tensor*> tensors;
  std::set<at::Tensor*> known;
  for (const nn::Parameter& parameter : list)
    if (known.insert(parameter.tensor).second) tensors[parameter.name] = parameter.tensor;
  return tensors;
}

// One clip of two frames, a sound of two clips, and six tokens, three of which are targets.
samples::Batch small_batch(const models::VideoLlama& model) {
  const std::int64_t num_seen = model.config().vision.q_former.num_queries;
  const std::int64_t num_heard = model.config().audio.q_former.num_queries;
  samples::Batch batch;
  std::vector<std::int64_t> ids(static_cast<std::size_t>(num_seen + num_heard + 6), 5);
  std::vector<std::int64_t> labels(ids.size(), -100);
  for (std::size_t i = ids.size() - 3; i < ids.size(); ++i)
    ids[i] = labels[i] = static_cast<std::int64_t>(3 * i);
  batch.token_ids_T = at::tensor(ids, at::kLong);
  batch.labels_T = at::tensor(labels, at::kLong);
  batch.sequence_lengths = {static_cast<std::int64_t>(ids.size())};
  batch.num_targets = 3;
  batch.media.resize(3);  // vision, and both encoders of the audio branch
  batch.media[0] = {
      .values = (test::random_tensor({2, 56, 56, 3}, 8) * 40 + 128).clamp(0, 255).to(at::kByte),
      .extents = {2},
      .dropout_keys = {1},
      .positions_M = at::arange(1, 1 + num_seen, at::kLong)};
  batch.media[2] = {.values = test::random_tensor({2, 1, 128, 204}, 9),
                    .extents = {2},
                    .dropout_keys = {2},
                    .positions_M = at::arange(1 + num_seen, 1 + num_seen + num_heard, at::kLong)};
  return batch;
}

// A step of plain gradient descent on what trains.
void descend(models::VideoLlama& model) {
  for (const nn::Parameter& parameter : model.trainable_parameters())
    parameter.tensor->requires_grad_(true);
  model.loss(small_batch(model), 0, nn::Gradients::accumulate);
  const at::AutoGradMode no_graph(false);
  for (const nn::Parameter& parameter : model.trainable_parameters()) {
    INFO(parameter.name);
    REQUIRE(parameter.tensor->grad().defined());
    parameter.tensor->sub_(parameter.tensor->grad());
  }
}

// As a checkpoint saves them.
weights::NamedTensors trained_tensors(models::VideoLlama& model) {
  weights::NamedTensors tensors;
  for (const nn::Parameter& parameter : model.trainable_parameters())
    tensors[parameter.name] = parameter.tensor->detach();
  return tensors;
}

}  // namespace

TEST_CASE("each module trains alone: its tensors change, all others keep every bit") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const ModuleName module =
      GENERATE(from_range(models::modules().begin(), models::modules().end())).name;
  const bool recompute = GENERATE(false, true);
  const auto precision = GENERATE(models::Precision::fp32, models::Precision::bf16);
  CAPTURE(config::name_of(module), recompute, config::name_of(precision));
  // Of other encoders and connectors: tests/ranks/test_other_encoders.cpp.
  if (module == ModuleName::vision_mlp || module == ModuleName::audio_encoder ||
      module == ModuleName::audio_encoder_lora)
    return;
  models::ModelConfig config = training(goldens, {module});
  config.recompute_layers = recompute;
  config.precision = precision;
  config.vision.units_at_once = 1;
  const auto model = models::load_video_llama(config, at::kCPU, 1);
  std::map<std::string, at::Tensor> before;
  for (const auto& [name, tensor] : all_tensors(*model)) before[name] = tensor->clone();
  descend(*model);
  std::int64_t num_changed = 0;
  for (const auto& [name, tensor] : all_tensors(*model)) {
    INFO(name);
    if (models::module_of(name) != module) {
      CHECK_FALSE(tensor->requires_grad());
      CHECK(test::same_bits(*tensor, before.at(name)));
    } else {
      CHECK(tensor->scalar_type() == at::kFloat);
      num_changed += !test::same_bits(tensor->detach(), before.at(name));
    }
  }
  // A follows B, which starts at zero. Biases of keys have a gradient of rounding errors only.
  const auto num_trained = static_cast<std::int64_t>(model->trainable_parameters().size());
  const std::int64_t num_still = models::row_of(module).adapts ? num_trained / 2 : 0;
  CHECK(num_changed > 0.8 * static_cast<double>(num_trained - num_still));
}

TEST_CASE("the image Q-Former trains through frames in parts as through all at once") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  std::vector<at::Tensor> gradients[2];
  for (const int in_parts : {0, 1}) {
    models::ModelConfig config = training(goldens, {ModuleName::image_q_former});
    config.vision.units_at_once = in_parts ? 1 : 64;
    const auto model = models::load_video_llama(config, at::kCPU, 1);
    descend(*model);
    for (const nn::Parameter& parameter : model->trainable_parameters())
      if (!parameter.name.ends_with("key.bias"))
        gradients[in_parts].push_back(parameter.tensor->grad());
  }
  REQUIRE(gradients[0].size() == gradients[1].size());
  double largest = 0;
  for (const at::Tensor& gradient : gradients[0])
    largest = std::max(largest, gradient.abs().max().item<double>());
  for (std::size_t i = 0; i < gradients[0].size(); ++i) {
    const double scale = gradients[0][i].abs().max().item<double>();
    CHECK(test::absolute_difference(gradients[1][i], gradients[0][i]) <=
          test::kGradientTolerance * scale + test::kGradientFloor * largest);
  }
}

TEST_CASE("a run starts from what another trained, whichever modules those were") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const ModuleName module = GENERATE(ModuleName::projection, ModuleName::audio_q_former,
                                     ModuleName::lora, ModuleName::image_q_former,
                                     ModuleName::language_model, ModuleName::vision_encoder_lora);
  INFO(config::name_of(module));
  models::ModelConfig config = training(goldens, {module});
  const auto first = models::load_video_llama(config, at::kCPU, 1);
  descend(*first);
  weights::NamedTensors saved = trained_tensors(*first);
  const test::TemporaryFolder folder;
  config.weights.saved_step = folder.path() / "saved.safetensors";
  weights::write_safetensors(config.weights.saved_step, saved);

  // As what trains again, and as a frozen part beside something else that trains.
  for (const ModuleName next : {module, ModuleName::video_q_former}) {
    if (models::row_of(module).adapts && next != module) continue;
    config.trainable = {{next}};
    CHECK(models::check_weights(config).empty());
    const auto second = models::load_video_llama(config, at::kCPU, 2);
    for (const nn::Parameter& parameter : second->module_parameters())
      if (saved.contains(parameter.name))
        CHECK(test::same_bits(parameter.tensor->detach(), saved.at(parameter.name)));
  }

  saved.erase(saved.begin());
  saved["surprise"] = saved.begin()->second;
  weights::write_safetensors(config.weights.saved_step, saved);
  CHECK_THROWS_WITH(models::load_video_llama(config, at::kCPU, 2),
                    Contains("saved.safetensors") && Contains("surprise"));
}

TEST_CASE("adapters of another run are refused by a model without adapters") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  models::ModelConfig config = training(goldens, {ModuleName::lora});
  const auto first = models::load_video_llama(config, at::kCPU, 1);
  const test::TemporaryFolder folder;
  config.weights.saved_step = folder.path() / "saved.safetensors";
  weights::write_safetensors(config.weights.saved_step, trained_tensors(*first));
  config.trainable = {{ModuleName::projection}};
  CHECK_THROWS_WITH(models::load_video_llama(config, at::kCPU, 2),
                    Contains("saved.safetensors") && Contains("q_proj.lora_A.weight"));
}

TEST_CASE("modules: the published choice, and every mistake by name") {
  models::ModelConfig config;
  const auto names = [&config] {
    std::vector<ModuleName> all;
    for (const auto& trained : models::trained_modules(config)) all.push_back(trained.module);
    return all;
  };
  CHECK(names() == std::vector<ModuleName>{ModuleName::video_q_former, ModuleName::frame_positions,
                                           ModuleName::projection});
  config.branches = models::BranchSet::vision_and_audio;
  CHECK(names().size() == 6);
  config.branches = models::BranchSet::audio;
  CHECK(names() == std::vector<ModuleName>{ModuleName::audio_q_former, ModuleName::audio_positions,
                                           ModuleName::audio_projection});

  const auto refused = [&config](const std::vector<ModuleName>& modules, const std::string& why) {
    config.trainable.clear();
    for (const ModuleName module : modules) config.trainable.push_back({module, 0});
    CHECK_THROWS_AS(models::trained_modules(config), UserError);
    CHECK_THROWS_WITH(models::trained_modules(config),
                      Contains("'" + config::name_of(modules.back()) + "'") && Contains(why));
  };
  refused({ModuleName::image_q_former}, "branch that the model lacks (model.branches: audio)");
  refused({ModuleName::projection}, "branch that the model lacks");
  config.branches = models::BranchSet::vision;
  refused({ModuleName::audio_positions}, "branch that the model lacks (model.branches: vision)");
  CHECK_THROWS_WITH(
      config::read<models::TrainedModule>(config::load_text("module: vit", "run.yaml")),
      Contains("run.yaml") && Contains("'vit'") && Contains("image_q_former, video_q_former,"));
  refused({ModuleName::lora, ModuleName::lora}, "is named twice");
  refused({ModuleName::lora, ModuleName::language_model}, "cannot train together");
  refused({ModuleName::vision_encoder_lora, ModuleName::vision_encoder}, "cannot train together");
  config.branches = models::BranchSet::audio;
  refused({ModuleName::audio_encoder_lora}, "ImageBind's, which hears nothing in training");
}

TEST_CASE("every name of a checkpoint belongs to the module that holds it") {
  CHECK(models::module_of("query_tokens") == ModuleName::image_q_former);
  CHECK(models::module_of("Qformer.bert.embeddings.LayerNorm.weight") ==
        ModuleName::image_q_former);
  CHECK(models::module_of("video_query_tokens") == ModuleName::video_q_former);
  CHECK(models::module_of("audio_Qformer.bert.embeddings.LayerNorm.weight") ==
        ModuleName::audio_q_former);
  CHECK(models::module_of("audio_llama_proj.bias") == ModuleName::audio_projection);
  CHECK(models::module_of("llama_model.lm_head.weight") == ModuleName::language_model);
  CHECK(models::module_of("llama_model.model.layers.0.mlp.up_proj.lora_B.weight") ==
        ModuleName::lora);
  CHECK(models::module_of("encoders.vision.blocks.0.attn.qkv.weight") ==
        ModuleName::vision_encoder);
  CHECK(models::module_of("encoders.vision.blocks.0.attn.qkv.lora_A.weight") ==
        ModuleName::vision_encoder_lora);
  CHECK(models::module_of("encoders.audio.model.encoder.layers.0.fc1.lora_B.weight") ==
        ModuleName::audio_encoder_lora);
  CHECK_FALSE(models::module_of("ln_vision.weight"));
  CHECK_FALSE(models::module_of("blocks.0.norm1.weight"));
}
