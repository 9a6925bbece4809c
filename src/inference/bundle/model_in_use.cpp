#include "inference/bundle/model_in_use.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <filesystem>

#include "models/load_video_llama.h"
#include "models/modules.h"
#include "models/saved_step.h"
#include "text/tokenizers/open_tokenizer.h"
#include "weights/tensor_source.h"

namespace vllama::inference {
namespace {

// Whether what the published training of a branch trains is all there.
bool holds_branch(const std::set<models::ModuleName>& held, models::ModulePlace place) {
  return std::ranges::all_of(models::modules_of_branch(place),
                             [&](models::ModuleName module) { return held.contains(module); });
}

// No part of the language model is held in fp32 but its adapters.
models::ModelConfig config_in_use(const ModelFiles& files) {
  models::ModelConfig config = starting_points_needed(files);
  std::erase_if(config.trainable, [](const models::TrainedModule& trained) {
    return trained.module == models::ModuleName::language_model;
  });
  config.dropout = 0;
  config.recompute_layers = false;
  return config;
}

}  // namespace

models::ModelConfig starting_points_needed(const ModelFiles& files) {
  models::ModelConfig config = files.model;
  if (files.trained.empty()) return config;
  const auto modules = models::modules_in(files.trained);
  models::WeightFiles& weights = config.weights;
  if (modules.contains(models::ModuleName::projection)) weights.projection.clear();
  if (holds_branch(modules, models::ModulePlace::vision_branch)) weights.vision_checkpoint.clear();
  if (holds_branch(modules, models::ModulePlace::audio_branch)) weights.audio_checkpoint.clear();
  return config;
}

OpenedModel load_model_in_use(const ModelFiles& files, at::Device device) {
  const at::AutoGradMode no_graph(false);
  const models::ModelConfig config = config_in_use(files);
  const std::filesystem::path folder = config.weights.language_model;
  OpenedModel opened;
  const auto language_model = language::read_llama_config(folder / "config.json");
  opened.tokenizer = text::open_tokenizer(folder);
  models::check_vocabulary(language_model, opened.tokenizer->size(),
                           opened.tokenizer->max_added_rows(), folder.string());
  opened.model = models::load_video_llama(config, device, files.seed);
  if (!files.trained.empty()) models::load_saved_step(*opened.model, files.trained);
  opened.model->merge_adapters();
  return opened;
}

}  // namespace vllama::inference
