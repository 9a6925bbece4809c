#include "tests/models/language_folder.h"

#include <ATen/ops/arange.h>

#include "models/load_language_model.h"
#include "tests/models/sizes.h"

namespace vllama::test {

LanguageFolder::LanguageFolder()
    : config(nlohmann::json::parse(models::to_config_json(tiny_llama(50)))) {
  models::Llama model(tiny_llama(50));
  nn::ParameterList parameters;
  model.declare(parameters);
  nn::initialize(parameters, 5);
  for (const nn::Parameter& parameter : parameters) tensors[parameter.name] = *parameter.tensor;
}

void LanguageFolder::write(const std::filesystem::path& folder, checkpoint::ShardFormat format,
                           std::int64_t max_shard_bytes) const {
  checkpoint::write_hf_folder(folder, config.dump(), tensors, {format, max_shard_bytes});
}

at::Tensor logits_of(const std::filesystem::path& folder) {
  models::Llama model(models::read_llama_config(folder / "config.json"));
  models::load(models::language_model_reading(model, folder, {.dtype = at::kFloat}));
  model.prepare(at::kFloat, at::kCPU);
  const at::Tensor ids = at::arange(3, 15, at::kLong);
  return model.logits(
      model.final_norm(model.hidden(model.embed(ids), nn::Segments({ids.size(0)}))));
}

}  // namespace vllama::test
